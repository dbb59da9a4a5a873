#include "adapters/police/questions.h"

#include <algorithm>
#include <ostream>
#include <set>

#include "adapters/client/text.h"
#include "adapters/desk/inbox.h"
#include "adapters/desk/questions.h"
#include "adapters/police/police.h"

namespace flagpost::police {
namespace {

using nlohmann::json;

constexpr std::chrono::seconds sending_patience{10};

/// Asked again, a question comes a second time: it is one all the same.
std::vector<client::Incoming> questions_in(client::Box& box, bool answered_too) {
    std::vector<client::Incoming> all;
    std::set<std::vector<std::uint8_t>> seen;
    for (auto& item : desk::items_of(box, {schemas::Kind::question}, answered_too))
        if (seen.insert(desk::question_of(item).question).second) all.push_back(std::move(item));
    std::ranges::stable_sort(all, {}, [](const auto& item) { return desk::question_of(item).answer_by_us; });
    return all;
}

std::optional<client::Incoming> question_named(const client::Box& box, const std::string& reference,
                                               const std::string& by) {
    auto item = desk::find_for(box, reference, by);
    if (item && item->kind != schemas::Kind::question) item.reset();
    return item;
}

}  // namespace

int list_questions(const std::filesystem::path& config, bool answered_too, const std::string& by,
                   bool as_json, std::ostream& out) {
    desk::Desk desk{config, {"police"}, own_settings()};
    const auto found = desk::items_for(desk.box(), questions_in(desk.box(), answered_too), by);
    const auto& items = found.shown;
    if (as_json) {
        json entries = json::array();
        for (const auto& item : items)
            entries.push_back(desk::question_entry(item, desk.box().answer_given(item)));
        found.add_to(entries);
        desk::print_json(entries, out);
        return 0;
    }
    for (const auto& item : items) out << desk::question_line(item, desk.now()) << "\n";
    if (items.empty() && found.ask_who.empty())
        out << "No questions" << (answered_too ? ".\n" : " wait for an answer.\n");
    out << found.words();
    return 0;
}

int show_question(const std::filesystem::path& config, const std::string& reference, const std::string& by,
                  bool as_json, std::ostream& out) {
    desk::Desk desk{config, {"police"}, own_settings()};
    const auto item = question_named(desk.box(), reference, by);
    if (!item) throw std::runtime_error{"no such question here"};
    const std::string given = desk.box().answer_given(*item);
    if (as_json)
        desk::print_json(desk::question_entry(*item, given), out);
    else
        out << desk::question_screen(*item, given, desk.now());
    return 0;
}

int answer_question(const std::filesystem::path& config, const Answering& answer, bool as_json,
                    std::ostream& out) {
    desk::Desk desk{config, {"police"}, own_settings()};
    if (client::trimmed(answer.by).empty()) throw std::runtime_error{"--by must name a person"};
    if (const auto fault = desk::fault_in_text(answer.text); !fault.empty())
        throw std::runtime_error{"--text: " + fault};
    const auto item = question_named(desk.box(), answer.reference, answer.by);
    const bool fresh =
        item && desk.box().answer(*item, answer.outcome, answer.text, answer.by, desk.agency());
    const bool sent = desk.send_now(sending_patience);
    const auto now = question_named(desk.box(), answer.reference, answer.by);
    const std::string reference = desk::printable(answer.reference);
    if (as_json) {
        desk::print_json(
            {
                {"reference",   answer.reference                        },
                {"result",      !item   ? "not_found"
                           : fresh ? "done"
                                   : "already"},
                {"answered_by", now ? now->recorded_by : std::string{}  }
        },
            out);
    } else if (!item) {
        out << reference << ": no such question here\n";
    } else if (!fresh) {
        out << reference << ": was already answered by " << desk::printable(now->recorded_by)
            << "; that stays as it is\n";
    } else {
        out << reference << ": answered by " << desk::printable(answer.by) << "\n";
        if (!sent)
            out << "Kept here. Not yet received by Flagpost (" << desk.last_problem()
                << "); it is sent when the connection is back.\n";
    }
    return fresh ? 0 : 1;
}

}  // namespace flagpost::police
