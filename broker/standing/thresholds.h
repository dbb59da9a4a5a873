/// From where on something is shown to operators as an alarm. What the broker itself refuses at is in core/limits.h.
#pragma once

#include <chrono>
#include <cstddef>

namespace flagpost::standing {

using namespace std::chrono_literals;

inline constexpr std::chrono::minutes silence_max = 24h;
inline constexpr std::chrono::minutes feed_age_max =
    26h;  // a list that is loaded daily, at about the same time
inline constexpr auto due_soon = 1h;
inline constexpr auto certificate_notice = std::chrono::hours{24 * 14};
inline constexpr auto revocation_list_notice = std::chrono::hours{24 * 3};
inline constexpr auto cosignature_late = 1h;
inline constexpr auto head_late = 30s;
inline constexpr auto clock_error_notice =
    500ms;  // far below limits::clock_step_min, or a step would be no news
inline constexpr double free_disk_notice = 0.15;  // of the disk; limits::free_disk_min is where publishes end
inline constexpr std::size_t named_max = 400;     // peers and alarms in a report; the rest are counted

}  // namespace flagpost::standing
