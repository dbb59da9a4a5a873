/// How a stranger's mistake is answered: a value that names what was wrong and where.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace flagpost {

/// The closed list of refusals. Numbers are those of schemas/frame.fbs (a test compares them); each
/// has a row in schemas/README.md.
enum class Reason : std::uint16_t {
    none = 0,
    malformed = 1,
    unsupported_version = 2,
    too_large = 3,
    unknown_sender = 4,
    not_permitted = 5,
    bad_signature = 6,
    conflict = 7,
    too_old = 8,
    clock_ahead = 9,
    busy = 10,
    storage_low = 11,
    unknown_topic = 12,
    window_exceeded = 13,
    out_of_order = 14,
    unknown_message = 15,
    invalid_value = 16,
    revoked = 17,
    displaced = 18,
    idle = 19,
    shutting_down = 20,
    load_incomplete = 21,
    not_found = 22,
    lease_over = 23,
    not_consistent = 24,
    on_hold = 25,
    in_use = 26,
};

/// The reason's name as documents and logs spell it, such as "not_permitted".
std::string_view name(Reason reason);

struct Refusal {
    Reason reason;
    std::string where;  // the field or rule at fault, never its content: refusals are logged
    friend bool operator==(const Refusal&, const Refusal&) = default;
};

template <class T> using Result = tl::expected<T, Refusal>;

inline tl::unexpected<Refusal> refuse(Reason reason, std::string where) {
    return tl::unexpected<Refusal>{
        Refusal{reason, std::move(where)}
    };
}

}  // namespace flagpost
