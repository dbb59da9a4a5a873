/// What social care asks the force about a notice, and the answer: codes with their words, entries, lines and screens.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "adapters/client/box.h"
#include "adapters/desk/words.h"

namespace flagpost::desk {

/// What may be asked.
inline constexpr CodeWords question_codes[] = {
    {"children_present", "Which children were there"       },
    {"identity",         "Whether this is the same child"  },
    {"what_happened",    "What happened, in more detail"   },
    {"people",           "Who the adults are"              },
    {"risk",             "What police think of the risk"   },
    {"police_action",    "What police have done or will do"},
    {"other",            "Something else"                  },
};
/// With what a question is answered.
inline constexpr CodeWords answer_codes[] = {
    {"answered",   "Answered"                     },
    {"partly",     "Answered in part"             },
    {"not_known",  "Police do not know"           },
    {"cannot_say", "Police cannot say: phone them"},
};

/// Why this cannot be sent as a question or an answer, in words; "" if it can.
std::string fault_in_text(const std::string& text);

/// Throw std::runtime_error if it cannot be read.
schemas::QuestionValue question_of(const client::Incoming& item);
schemas::QuestionAnswerValue answer_of(const client::Incoming& item);

/// A question that was asked here, as far as it has come.
struct Thread {
    client::Box::Question question;
    std::optional<schemas::QuestionAnswerValue> answer;
    std::string standing;  // "waiting", "asked", "refused" or "answered"
};
std::vector<Thread> threads_about(const client::Box& box, const client::Incoming& notice);
nlohmann::json thread_entry(const Thread& thread);
/// For a terminal; "" without questions.
std::string threads_screen(const std::vector<Thread>& threads);

// For the force that is asked.
nlohmann::json question_entry(const client::Incoming& item, const std::string& answer_given);
std::string question_line(const client::Incoming& item, Instant now);
std::string question_screen(const client::Incoming& item, const std::string& answer_given, Instant now);

}  // namespace flagpost::desk
