#include "broker/app/files.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

namespace flagpost::app {

std::string read_text(const std::filesystem::path& file) {
    std::ifstream in{file, std::ios::binary};
    std::string text{std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{}};
    if (!in) throw std::runtime_error{file.string() + ": cannot be read"};
    return text;
}

log::VerifierKey load_vkey(const std::filesystem::path& file) {
    const std::string text = read_text(file);
    auto key = log::VerifierKey::parse(text.substr(0, text.find_first_of("\r\n")));
    if (!key) throw std::runtime_error{file.string() + ": " + key.error().where};
    return std::move(*key);
}

}  // namespace flagpost::app
