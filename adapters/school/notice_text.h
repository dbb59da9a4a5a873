/// School notices as a list entry for programs and as one screen for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "adapters/client/box.h"
#include "adapters/desk/words.h"

namespace flagpost::school {

/// What a school may say it will do, each with its words.
inline constexpr desk::CodeWords outcome_codes[] = {
    {"quiet_support",     "Quiet support, no approach to the child"           },
    {"already_supported", "Support already in place"                          },
    {"talk_if_wished",    "Talk with the child if they wish"                  },
    {"contact_police",    "We will contact police"                            },
    {"not_on_roll",       "Not on our roll: left, never here, or another site"},
};

/// Throws std::runtime_error if it cannot be read.
schemas::SchoolNoticeValue notice_of(const client::Incoming& item);
/// "Ava Example"; "Child not named" where no name is given.
std::string name_of(const schemas::SchoolNoticeValue& notice);
/// "Oak Primary, URN 900001", or the URN alone.
std::string school_in_words(const schemas::SchoolNoticeValue& notice);
/// Whom to ask: "Norham PPU, 01632 960101, quote NP-1".
std::string police_in_words(const schemas::SchoolNoticeValue& notice);
/// How the notice is to be handled, beyond what every one says.
std::vector<std::string> further_handling(const schemas::SchoolNoticeValue& notice);
/// Whether the agreement gives the school more than child, reference and time.
bool has_detail(const schemas::SchoolNoticeValue& notice);

nlohmann::json notice_entry(const client::Incoming& item);
std::string notice_line(const client::Incoming& item, Instant now);

/// The whole of it in plain words, the warning first. Wording: pages, sections 1 and 2.3.
std::string notice_screen(const client::Incoming& item, Instant now);

/// By when it must be read; the far future where nothing is said.
Instant due(const client::Incoming& item);

}  // namespace flagpost::school
