#include "broker/crypto/private_file.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>

namespace flagpost::crypto {
namespace {

constexpr std::size_t file_size_max = 64 * 1024;

class OpenFile {
public:
    explicit OpenFile(const std::filesystem::path& file) : fd_{::open(file.c_str(), O_RDONLY | O_CLOEXEC)} {
        if (fd_ < 0) throw CryptoFailure{file.string() + ": cannot be opened"};
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;
    ~OpenFile() { ::close(fd_); }
    int fd() const { return fd_; }

private:
    int fd_;
};

void require_private(const struct stat& status, const std::filesystem::path& file) {
    if (!S_ISREG(status.st_mode)) throw CryptoFailure{file.string() + ": not a file"};
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        throw CryptoFailure{file.string() + ": others than its owner may use it; run chmod 0600 on it"};
}

int no_passphrase(char*, int, int, void*) { return -1; }

}  // namespace

std::string read_private_file(const std::filesystem::path& file) {
    const OpenFile open_file{file};
    struct stat status {};
    if (::fstat(open_file.fd(), &status) != 0) throw CryptoFailure{file.string() + ": cannot be examined"};
    require_private(status, file);
    std::string content;
    std::array<char, 4096> part;
    while (true) {
        const auto got = ::read(open_file.fd(), part.data(), part.size());
        if (got < 0) throw CryptoFailure{file.string() + ": cannot be read"};
        if (got == 0) return content;
        content.append(part.data(), static_cast<std::size_t>(got));
        if (content.size() > file_size_max) throw CryptoFailure{file.string() + ": too large for a key"};
    }
}

PKey read_private_key(const std::filesystem::path& file) {
    const std::string pem = read_private_file(file);
    const std::unique_ptr<BIO, FreeWith<BIO_free_all>> bio{
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
    PKey key{PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr)};
    if (!key) throw CryptoFailure{file.string() + ": no private key in PEM"};
    return key;
}

void forbid_core_files() {
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) throw CryptoFailure{"cannot forbid core files"};
}

}  // namespace flagpost::crypto
