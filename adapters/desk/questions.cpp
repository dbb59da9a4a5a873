#include "adapters/desk/questions.h"

#include <sstream>

#include "adapters/client/text.h"
#include "adapters/desk/inbox.h"
#include "broker/core/limits.h"

namespace flagpost::desk {
namespace {

using nlohmann::json;

std::string answer_by(const schemas::QuestionValue& question, const client::Incoming& item, Instant now) {
    if (question.answer_by_us == 0) return "no time set";
    const Instant by = from_us(question.answer_by_us);
    if (item.recorded) return in_words(by);
    const auto distance = std::chrono::duration_cast<std::chrono::seconds>(by > now ? by - now : now - by);
    return in_words(by) + (by > now ? " (due in " : " (overdue by ") + duration_in_words(distance) + ")";
}

std::string name_or_agency(const schemas::QuestionValue& question) {
    return question.by.empty() ? question.asked_by : question.by + ", " + question.asked_by;
}

}  // namespace

std::string fault_in_text(const std::string& text) {
    if (client::trimmed(text).empty()) return "Write what you want to say";
    if (text.size() > limits::question_size_max)
        return "Use " + std::to_string(limits::question_size_max) +
               " characters or fewer: letters with marks or of other scripts count as two or three";
    if (!client::is_utf8(text) || client::has_broken_characters(text))
        return "Use letters, digits and punctuation only";
    return "";
}

schemas::QuestionValue question_of(const client::Incoming& item) {
    return payload_of<schemas::Question>(item);
}
schemas::QuestionAnswerValue answer_of(const client::Incoming& item) {
    return payload_of<schemas::QuestionAnswer>(item);
}

std::vector<Thread> threads_about(const client::Box& box, const client::Incoming& notice) {
    std::vector<Thread> threads;
    for (auto& question : box.questions_about(notice)) {
        const auto sent = box.status(question.id);
        Thread thread{std::move(question), {}, "asked"};
        if (sent.state == client::OutgoingState::waiting) thread.standing = "waiting";
        if (sent.state == client::OutgoingState::refused) thread.standing = "refused";
        if (thread.question.answer) {
            thread.answer = answer_of(*thread.question.answer);
            thread.standing = "answered";
        }
        threads.push_back(std::move(thread));
    }
    return threads;
}

json thread_entry(const Thread& thread) {
    const auto& asked = thread.question.asked;
    json entry{
        {"question", to_hex(thread.question.id)},
        {"about",    asked.about               },
        {"text",     asked.text                },
        {"by",       asked.by                  },
        {"asked",    in_iso(thread.question.at)},
        {"state",    thread.standing           },
        {"answer",   json()                    }
    };
    if (thread.answer)
        entry["answer"] = {
            {"reference", thread.answer->reference               },
            {"outcome",   thread.answer->outcome                 },
            {"text",      thread.answer->text                    },
            {"by",        thread.answer->by                      },
            {"answered",  iso_or_null(thread.answer->answered_us)},
            {"opened_by", thread.question.answer->opened_by      }
        };
    return entry;
}

std::string threads_screen(const std::vector<Thread>& threads) {
    if (threads.empty()) return "";
    std::ostringstream out;
    out << "\nQuestions to police\n";
    for (const auto& [question, answer, standing] : threads) {
        print_field(out, "Asked",
                    in_words(question_codes, question.asked.about) + ", by " + question.asked.by + ", " +
                        in_words(question.at));
        print_field(out, "", question.asked.text);
        if (answer) {
            print_field(out, "Police",
                        in_words(answer_codes, answer->outcome) + ", " +
                            (answer->by.empty() ? "" : answer->by + ", ") +
                            in_words(from_us(answer->answered_us)));
            print_field(out, "", answer->text);
        } else {
            print_field(out, "Police",
                        standing == "waiting"   ? "Kept here; not yet received by Flagpost."
                        : standing == "refused" ? "Flagpost did not accept this question."
                                                : "No answer yet.");
        }
    }
    return out.str();
}

json question_entry(const client::Incoming& item, const std::string& answer_given) {
    const auto question = question_of(item);
    json entry{
        {"question",           to_hex(question.question)                  },
        {"reference",          question.reference                         },
        {"incident_reference", question.incident_reference                },
        {"asked_by",           question.asked_by                          },
        {"by",                 question.by                                },
        {"about",              question.about                             },
        {"text",               question.text                              },
        {"asked",              iso_or_null(question.asked_us)             },
        {"answer_by",          iso_or_null(question.answer_by_us)         },
        {"answer",             item.recorded ? json(answer_given) : json()}
    };
    add_marks(entry, item);
    entry["state"] = item.recorded ? "answered" : state_of(item);
    return entry;
}

std::string question_line(const client::Incoming& item, Instant now) {
    const auto question = question_of(item);
    return question.reference + "  " + (item.recorded ? "answered" : state_of(item)) + "  incident " +
           printable(question.incident_reference) + "  " +
           printable(in_words(question_codes, question.about)) + "\n    Asked by " +
           printable(name_or_agency(question)) + ". Answer by " + answer_by(question, item, now);
}

std::string question_screen(const client::Incoming& item, const std::string& answer_given, Instant now) {
    const auto question = question_of(item);
    std::ostringstream out;
    out << "Question " << question.reference << " about incident " << printable(question.incident_reference)
        << "\n\n";
    print_field(out, "Asked by", name_or_agency(question));
    print_field(out, "Asked", in_words(from_us(question.asked_us)));
    print_field(out, "Answer by", answer_by(question, item, now));
    print_field(out, "About", in_words(question_codes, question.about));
    print_field(out, "Question", question.text);
    if (item.recorded) {
        print_field(out, "Answer",
                    in_words(answer_codes, item.outcome) + ", by " + item.recorded_by + ", " +
                        in_words(*item.recorded));
        print_field(out, "", answer_given);
    } else {
        out << "\nYour answer goes to " << printable(question.asked_by)
            << " and to nobody else:\n  questions answer " << question.reference
            << " --by NAME --outcome answered --text \"...\"\n";
    }
    return out.str();
}

}  // namespace flagpost::desk
