/// Social care notices and review items as a list entry for programs and as one screen for people.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "adapters/client/box.h"
#include "adapters/desk/words.h"

namespace flagpost::social_care {

/// The outcomes with which a notice is recorded and closed, each with its words.
inline constexpr desk::CodeWords outcome_codes[] = {
    {"contacted",      "Contacted or visited"    },
    {"will_contact",   "Will contact or visit"   },
    {"known",          "Known already"           },
    {"no_action",      "No action needed"        },
    {"passed",         "Passed to another worker"},
    {"not_this_child", "This is not the child"   },
};

/// Why a match was decided as it was, each with its words.
inline constexpr desk::CodeWords review_codes[] = {
    {"details_agree",      "The details agree"                  },
    {"known_to_us",        "We know this child"                 },
    {"other_child",        "It is another child"                },
    {"twin_or_sibling",    "It is a twin, a brother or a sister"},
    {"other_family",       "It is another family at the address"},
    {"recipient_involved", "Whoever would be told is involved"  },
    {"not_safe",           "Telling them is not safe"           },
    {"told_otherwise",     "They were told in another way"      },
    {"cannot_tell",        "The details are not enough to tell" },
};

nlohmann::json notice_entry(const client::Incoming& item);
nlohmann::json review_entry(const client::Incoming& item);

/// One line of a list.
std::string notice_line(const client::Incoming& item, Instant now);
std::string review_line(const client::Incoming& item, Instant now);

/// The whole of it in plain words. Wording: pages, section 1.
std::string notice_screen(const client::Incoming& item, Instant now);
std::string review_screen(const client::Incoming& item, Instant now);

std::string agreeing_in_words(schemas::Agreeing how);

/// When it must be acted on; the far future where nothing is said.
Instant due(const client::Incoming& item);

}  // namespace flagpost::social_care
