#include "broker/core/result.h"

#include <array>

namespace flagpost {

std::string_view name(Reason reason) {
    static constexpr std::array<std::string_view, 27> names{"none",
                                                            "malformed",
                                                            "unsupported_version",
                                                            "too_large",
                                                            "unknown_sender",
                                                            "not_permitted",
                                                            "bad_signature",
                                                            "conflict",
                                                            "too_old",
                                                            "clock_ahead",
                                                            "busy",
                                                            "storage_low",
                                                            "unknown_topic",
                                                            "window_exceeded",
                                                            "out_of_order",
                                                            "unknown_message",
                                                            "invalid_value",
                                                            "revoked",
                                                            "displaced",
                                                            "idle",
                                                            "shutting_down",
                                                            "load_incomplete",
                                                            "not_found",
                                                            "lease_over",
                                                            "not_consistent",
                                                            "on_hold",
                                                            "in_use"};
    const auto index = static_cast<std::size_t>(reason);
    return index < names.size() ? names[index] : "unknown";
}

}  // namespace flagpost
