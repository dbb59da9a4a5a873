#include "broker/log/sign_call.h"

#include <algorithm>

namespace flagpost::log {
namespace {

constexpr std::string_view magic = "FPS1";
constexpr std::size_t proof_max = 64;
constexpr std::size_t hash_size = std::tuple_size_v<Digest>;
constexpr std::uint8_t ask_last = 0, ask_sign = 1;

Bytes begin(std::uint8_t kind) {
    auto out = copy(view(magic));
    out.push_back(kind);
    return out;
}

void append(Bytes& out, BytesView bytes) { out.insert(out.end(), bytes.begin(), bytes.end()); }

/// The byte after the magic, and what follows it.
Result<std::pair<std::uint8_t, BytesView>> opened(BytesView bytes) {
    if (bytes.size() > sign_packet_max) return refuse(Reason::too_large, "signer: packet");
    if (bytes.size() <= magic.size() || text(bytes.first(magic.size())) != magic)
        return refuse(Reason::malformed, "signer: packet");
    return std::pair{bytes[magic.size()], bytes.subspan(magic.size() + 1)};
}

}  // namespace

Bytes SignCall::bytes() const {
    auto out = begin(head ? ask_sign : ask_last);
    if (!head) return out;
    append_be(out, head->size, 8);
    append(out, head->root);
    for (const auto& hash : head->proof) append(out, hash);
    return out;
}

Result<SignCall> SignCall::parse(BytesView bytes) {
    const auto call = opened(bytes);
    if (!call) return tl::unexpected{call.error()};
    auto [kind, rest] = *call;
    if (kind == ask_last && rest.empty()) return SignCall{};
    const bool whole = rest.size() >= 8 + hash_size && (rest.size() - 8) % hash_size == 0 &&
                       rest.size() <= 8 + (1 + proof_max) * hash_size;
    if (kind != ask_sign || !whole) return refuse(Reason::malformed, "signer: call");
    Head head{read_be(rest.first(8)), *exactly<hash_size>(rest.subspan(8, hash_size)), {}};
    for (rest = rest.subspan(8 + hash_size); !rest.empty(); rest = rest.subspan(hash_size))
        head.proof.push_back(*exactly<hash_size>(rest.first(hash_size)));
    return SignCall{std::move(head)};
}

Bytes SignReply::bytes() const {
    auto out = begin(static_cast<std::uint8_t>(status));
    append(out, view(text));
    return out;
}

Result<SignReply> SignReply::parse(BytesView bytes) {
    const auto reply = opened(bytes);
    if (!reply) return tl::unexpected{reply.error()};
    const auto [status, rest] = *reply;
    if (status > static_cast<std::uint8_t>(Status::no_room))
        return refuse(Reason::malformed, "signer: reply");
    return SignReply{static_cast<Status>(status), std::string{flagpost::text(rest)}};
}

}  // namespace flagpost::log
