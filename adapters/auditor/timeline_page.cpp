/// The timeline: entries in order, as many as asked for, the oldest first.
#include <charconv>
#include <nlohmann/json.hpp>

#include "adapters/auditor/leaves.h"
#include "adapters/auditor/page_words.h"
#include "adapters/auditor/pages.h"
#include "adapters/auditor/printable.h"
#include "adapters/web/when.h"

namespace flagpost::auditor {
namespace {

using web::Page;
using web::Response;
using web::View;
using web::Visit;

std::optional<std::uint64_t> number_of(const std::string& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

View row_of(const log::Leaf& leaf, std::uint64_t index) {
    return View{}
        .text("row_entry", std::to_string(index))
        .text("row_number", grouped(index))
        .text("row_words", who_in_words(leaf) + " " + deed_in_words(leaf))
        .maybe("row_person", person_in_words(leaf))
        .text("row_time", exact_time(leaf.time))
        .text("row_machine_time", time_text(leaf.time));
}

/// One page of rows.
struct Rows {
    std::vector<View> rows;
    std::optional<std::uint64_t> next;  // entry to go on from; nothing at the end
    bool looked_long = false;           // stopped for the entries looked at, not for the rows found
};

/// With entries asked for, what follows from them shows only on the way from the first of them on.
Rows rows_from(const std::filesystem::path& directory, const ReplayOptions& options, std::uint64_t from) {
    Rows result;
    Selection selection{options};
    const bool thread = !options.entries.empty();
    const auto first = thread ? *options.entries.begin() : from;
    const auto most = thread ? thread_rows_max : rows_a_page;
    leaves_from(directory, first, [&](std::uint64_t index, const log::Leaf& leaf) {
        const bool taken = selection.takes(leaf, index) && index >= from;
        const bool full = result.rows.size() == most;
        result.looked_long = !thread && index - first >= entries_looked_at_max;
        if ((taken && full) || result.looked_long) {
            result.next = index;
            return false;
        }
        if (taken) result.rows.push_back(row_of(leaf, index));
        return true;
    });
    return result;
}

}  // namespace

/// What was typed, and what of it makes no sense.
struct Pages::Asked {
    std::string from, to, agency, subject, incident;
    std::uint64_t after = 0;
    ReplayOptions options;
    struct Mistake {
        std::string field, words;
    };
    std::vector<Mistake> mistakes;

    explicit Asked(const web::Request& request)
        : from{request.parameter("from")},
          to{request.parameter("to")},
          agency{request.parameter("agency")},
          subject{request.parameter("subject")},
          incident{request.parameter("incident")},
          after{number_of(request.parameter("after")).value_or(0)} {
        read_time(from, "from", options.from);
        read_time(to, "to", options.to);
        if (!agency.empty()) {
            options.agency = agency_id();
            if (!options.agency) mistakes.push_back({"agency", "Enter an agency such as school/122802"});
        }
        if (!subject.empty()) {
            const auto bytes = from_hex(subject);
            const auto id = bytes ? exactly<16>(*bytes) : std::nullopt;
            if (id)
                options.subject = *id;
            else
                mistakes.push_back({"subject", "Enter a reference of 32 digits, as an entry shows it"});
        }
    }

    bool is_set() const {
        return !(from.empty() && to.empty() && agency.empty() && subject.empty() && incident.empty());
    }
    std::string href(std::uint64_t next) const {
        std::string query = "/audit/timeline?after=" + std::to_string(next);
        for (const auto& [name, value] : {
                 std::pair{"from",     from    },
                 std::pair{"to",       to      },
                 std::pair{"agency",   agency  },
                 std::pair{"subject",  subject },
                 std::pair{"incident", incident}
        })
            if (!value.empty()) query += "&" + std::string{name} + "=" + web::encoded(value);
        return query;
    }
    std::string mistake_of(const std::string& field) const {
        for (const auto& mistake : mistakes)
            if (mistake.field == field) return mistake.words;
        return "";
    }

private:
    void read_time(const std::string& typed, const char* field, Instant& into) {
        if (typed.empty()) return;
        if (const auto time = parse_time(typed))
            into = *time;
        else
            mistakes.push_back({field, "Enter a time such as 2026-03-02 or 2026-03-02T21:40:12"});
    }
    std::optional<AgencyId> agency_id() const {
        const auto id = AgencyId::parse(agency);
        return id ? std::optional{*id} : std::nullopt;
    }
};

Response Pages::timeline(const Visit& visit) {
    Asked asked{visit.request};
    Page page{"timeline", "Timeline"};
    page.section = "/audit/timeline";
    page.section_itself = true;
    if (!asked.incident.empty()) {
        Workbench::State state;
        const auto entries = entries_of(asked.incident, state);
        if (!entries) return working(visit, state, "Looking for the incident", page);
        if (entries->empty())
            asked.mistakes.push_back(
                {"incident", desk_.key
                                 ? "No incident that is open to this desk has this reference or entry"
                                 : "Enter the number of an entry; references stand in bodies, which are "
                                   "not open to this desk"});
        asked.options.entries = *entries;
    }
    Rows found;
    std::string trouble;
    if (asked.mistakes.empty()) {
        if (auto refusal = unwritten(visit, "timeline")) return *refusal;
        try {
            found = rows_from(desk_.directory, asked.options, asked.after);
        } catch (const std::runtime_error& error) {
            trouble = std::string{"It cannot be read any further: "} + error.what() + ".";
        }
    } else {
        page.status = 422;
        page.title = "Error: Timeline";
    }
    std::vector<View> mistakes, fields;
    for (const auto& mistake : asked.mistakes)
        mistakes.push_back(View{}.text("mistake_field", mistake.field).text("mistake", mistake.words));
    const auto field = [&](const char* name, const char* label, const char* hint, const std::string& typed) {
        fields.push_back(View{}
                             .text("field_name", name)
                             .text("field_label", label)
                             .text("field_hint", hint)
                             .text("field_typed", typed)
                             .maybe("field_mistake", asked.mistake_of(name)));
    };
    field("from", "From", "2026-03-02 or 2026-03-02T21:40:12, UTC", asked.from);
    field("to", "Before", "The same form", asked.to);
    field("agency", "Agency", "Such as school/122802: what it did or was owed", asked.agency);
    field("incident", "Incident and what followed",
          desk_.key ? "31/OCC-2026-0815, or the number of its entry" : "The number of its entry",
          asked.incident);
    field("subject", "About", "A reference of 32 digits, as an entry shows it", asked.subject);
    const std::string words_next =
        found.looked_long ? "Look further, from entry " + grouped(found.next.value_or(0)) : "Next page";
    page.view.flag("wrong", !mistakes.empty())
        .list("mistakes", mistakes)
        .list("fields", fields)
        .flag("filtered", asked.is_set())
        .maybe("trouble", printable(trouble))
        .flag("nothing", found.rows.empty() && mistakes.empty() && trouble.empty())
        .text("nothing_words", found.looked_long ? "Nothing so far." : "Nothing in this export fits.")
        .list("rows", found.rows)
        .flag("earlier", asked.after > 0)
        .text("first_page", asked.href(0))
        .flag("more", found.next.has_value())
        .text("next_page", asked.href(found.next.value_or(0)))
        .text("next_words", words_next);
    return site_.page(visit, page);
}

std::optional<std::set<std::uint64_t>> Pages::entries_of(const std::string& incident,
                                                         Workbench::State& state) {
    if (const auto index = number_of(incident)) return std::set{*index};
    if (!desk_.key) return std::set<std::uint64_t>{};
    state = explained(incident);
    if (state.running) return std::nullopt;
    std::set<std::uint64_t> entries;
    if (const auto* story = std::any_cast<std::shared_ptr<const nlohmann::ordered_json>>(&state.result))
        for (const auto& part : **story)
            if (part["what"] == "published") entries.insert(part["index"].get<std::uint64_t>());
    return entries;
}

}  // namespace flagpost::auditor
