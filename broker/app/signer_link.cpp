#include "broker/app/signer_link.h"

#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "broker/core/limits.h"
#include "broker/store/store.h"

namespace flagpost::app {
namespace {

using store::Descriptor;

sockaddr_un address_of(const std::filesystem::path& file) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (file.string().size() >= sizeof address.sun_path)
        throw std::runtime_error{file.string() + ": too long for the path of a socket"};
    std::memcpy(address.sun_path, file.c_str(), file.string().size());
    return address;
}

Descriptor new_socket() {
    Descriptor made{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)};
    if (made.get() < 0) throw std::system_error{errno, std::generic_category(), "socket"};
    return made;
}

Descriptor listen_at(const std::filesystem::path& file) {
    auto made = new_socket();
    const auto address = address_of(file);
    std::filesystem::remove(
        file);  // of a signer that was killed; a second one could not open the same memory
    if (::bind(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(made.get(), 4) != 0)
        throw std::system_error{errno, std::generic_category(), file.string()};
    std::filesystem::permissions(
        file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write |
                  std::filesystem::perms::group_read | std::filesystem::perms::group_write);
    return made;
}

/// One packet; nothing when the other end has gone.
std::optional<Bytes> receive(int fd) {
    Bytes packet(log::sign_packet_max + 1);
    const auto got = ::recv(fd, packet.data(), packet.size(), 0);
    if (got <= 0) return std::nullopt;
    packet.resize(static_cast<std::size_t>(got));
    return packet;
}

bool send(int fd, BytesView packet) {
    return ::send(fd, packet.data(), packet.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(packet.size());
}

log::SignReply answer(BytesView packet, log::Signer& signer) {
    using Status = log::SignReply::Status;
    const auto call = log::SignCall::parse(packet);
    if (!call) return {Status::refused, call.error().where};
    if (!call->head) return {Status::done, signer.last().format()};
    try {
        const auto note = signer.sign(call->head->size, call->head->root, call->head->proof);
        if (note) return {Status::done, *note};
        spdlog::critical("refused to sign a head of size {}: {}", call->head->size, note.error().where);
        return {Status::refused, note.error().where};
    } catch (const store::NoRoom& none) {
        spdlog::critical("no room to remember a head: {}", none.what());
        return {Status::no_room, none.what()};
    }
}

}  // namespace

void serve_signing(const std::filesystem::path& socket, log::Signer& signer, int stop) {
    const auto listening = listen_at(socket);
    std::optional<Descriptor> broker;
    spdlog::info("signing for whoever connects to {}", socket.filename().string());
    for (;;) {
        std::array<pollfd, 3> items{
            {{stop, POLLIN, 0}, {listening.get(), POLLIN, 0}, {broker ? broker->get() : -1, POLLIN, 0}}
        };
        if (::poll(items.data(), items.size(), -1) < 0 && errno != EINTR)
            throw std::system_error{errno, std::generic_category(), "poll"};
        if (items[0].revents != 0) break;
        if (items[2].revents != 0) {
            const auto packet = receive(broker->get());
            if (!packet || !send(broker->get(), answer(*packet, signer).bytes())) broker.reset();
        }
        if (items[1].revents != 0) {
            Descriptor next{::accept4(listening.get(), nullptr, nullptr, SOCK_CLOEXEC)};
            if (next.get() >= 0) broker.emplace(std::move(next));
        }
    }
    std::filesystem::remove(socket);
}

RemoteSigner::RemoteSigner(std::filesystem::path socket, log::VerifierKey key)
    : socket_{std::move(socket)}, key_{std::move(key)} {
    connect();
}

// A call whose answer was lost may have been carried out: what the signer remembers is asked for with each new
// connection, and whoever asks has to prove from there.
Result<std::string> RemoteSigner::sign(std::uint64_t size, const Digest& root,
                                       const std::vector<Digest>& proof) {
    if (!connection_) {
        const auto proven_from = last_;
        connect();
        if (last_.size < proven_from.size)
            throw store::StorageFailure{
                "the signer remembers less than it has signed: its state is an older copy"};
        if (!(last_ == proven_from))
            throw log::SignerAway{"the signer has signed since: asked again from there"};
    }
    auto reply = ask(log::SignCall{
        log::SignCall::Head{
                            size, root,
                            proof}
    }.bytes());
    if (reply.status == log::SignReply::Status::refused)
        return refuse(Reason::not_consistent, std::move(reply.text));
    last_ = {last_.origin, size, root};
    const auto head = log::open_checkpoint(reply.text, key_);
    if (head && *head == last_) return std::move(reply.text);
    connection_.reset();  // a signer started with the right key is found by the next call
    throw log::SignerAway{
        head ? "the signer signed another head than it was asked to"
             : "the signer does not sign with the key in keys.log_vkey: start it, or the broker, "
               "with the other's"};
}

log::SignReply RemoteSigner::ask(BytesView call) {
    const auto packet = send(connection_->get(), call) ? receive(connection_->get()) : std::nullopt;
    auto reply = packet ? log::SignReply::parse(*packet) : refuse(Reason::idle, "connection lost");
    if (!reply) {
        connection_.reset();
        throw log::SignerAway{"the signer did not answer: " + reply.error().where};
    }
    if (reply->status == log::SignReply::Status::no_room) throw store::NoRoom{reply->text};
    return std::move(*reply);
}

void RemoteSigner::connect() {
    auto made = new_socket();
    const timeval patience{std::chrono::seconds{limits::signer_wait_max}.count(), 0};
    ::setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto address = address_of(socket_);
    if (::connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        throw log::SignerAway{"no signer at " + socket_.filename().string() + ": " +
                              std::generic_category().message(errno)};
    connection_.emplace(std::move(made));
    auto head = log::Checkpoint::parse(ask(log::SignCall{}.bytes()).text);
    if (!head) {
        connection_.reset();
        throw log::SignerAway{"the signer does not say what it signed last"};
    }
    last_ = std::move(*head);
}

}  // namespace flagpost::app
