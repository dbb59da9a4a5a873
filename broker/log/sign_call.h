/// What a broker and its signer in another process say to each other: one packet each way, and what it means.
///
///     call   "FPS1" || kind(1): 0 last, 1 sign || for sign: u64be size || root(32) || proof(32 each, at most 64)
///     reply  "FPS1" || status(1): 0 done, 1 refused, 2 no room on the signer's disk || text: the last head
///            (C2SP checkpoint) or the signed note; what was wrong; what the disk said
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "broker/core/bytes.h"
#include "broker/core/result.h"

namespace flagpost::log {

struct SignCall {
    /// What to sign; nothing: only the last head is asked for.
    struct Head {
        std::uint64_t size;
        Digest root;
        std::vector<Digest> proof;  // RFC 6962 consistency from the last head signed
        friend bool operator==(const Head&, const Head&) = default;
    };
    std::optional<Head> head;

    Bytes bytes() const;
    static Result<SignCall> parse(BytesView bytes);
    friend bool operator==(const SignCall&, const SignCall&) = default;
};

struct SignReply {
    enum class Status : std::uint8_t { done, refused, no_room };
    Status status;
    std::string text;

    Bytes bytes() const;
    static Result<SignReply> parse(BytesView bytes);
    friend bool operator==(const SignReply&, const SignReply&) = default;
};

inline constexpr std::size_t sign_packet_max = 16 * 1024;

}  // namespace flagpost::log
