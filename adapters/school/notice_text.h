/// School notices as a list entry for programs and as one screen for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "adapters/client/box.h"

namespace flagpost::school {

/// What a school may say it will do, each with its words.
struct OutcomeCode {
    std::string_view code, words;
};
inline constexpr OutcomeCode outcome_codes[] = {
    {"quiet_support",     "Quiet support, no approach to the child"           },
    {"already_supported", "Support already in place"                          },
    {"talk_if_wished",    "Talk with the child if they wish"                  },
    {"contact_police",    "We will contact police"                            },
    {"not_on_roll",       "Not on our roll: left, never here, or another site"},
};

nlohmann::json notice_entry(const client::Incoming& item);
std::string notice_line(const client::Incoming& item, Instant now);

/// The whole of it in plain words, the warning first. Wording: pages, sections 1 and 2.3.
std::string notice_screen(const client::Incoming& item, Instant now);

/// By when it must be read; the far future where nothing is said.
Instant due(const client::Incoming& item);

}  // namespace flagpost::school
