/// From where on something is shown to operators as an alarm. What the broker itself refuses at is in core/limits.h.
#pragma once

#include <chrono>
#include <cstddef>

namespace flagpost::standing {

using namespace std::chrono_literals;

inline constexpr std::chrono::minutes silence_max = 24h;
inline constexpr std::chrono::minutes feed_age_max =
    26h;  // a list that is loaded daily, at about the same time
inline constexpr std::chrono::minutes roll_age_max = 24h * 28;  // a week is left then to load it
inline constexpr std::chrono::minutes roll_expires =
    24h * 35;  // notices::lists_stand_for: its pupils' notices wait for a person from then on
// Of volumes (volume.h). A false alarm a year and topic is borne; one a week would be switched off.
inline constexpr double volume_chance_min = 1e-5;  // what is less likely is no chance
inline constexpr double volume_over_chance =
    0.05;  // it is over once the newest hours are as likely as this again
inline constexpr double volume_expected_min = 12;  // of fewer, even none would prove nothing
inline constexpr std::chrono::days volume_history_min{14};
inline constexpr std::chrono::days volume_history_max{56};
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
