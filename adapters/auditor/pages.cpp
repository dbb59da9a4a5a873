#include "adapters/auditor/pages.h"

#include <spdlog/spdlog.h>

#include <charconv>

#include "adapters/auditor/mapped_file.h"
#include "adapters/auditor/page_words.h"
#include "adapters/auditor/printable.h"
#include "adapters/auditor/proof.h"
#include "adapters/auditor/readings.h"
#include "adapters/web/when.h"
#include "auditor_templates.h"

namespace flagpost::auditor {
namespace {

using web::Page;
using web::Response;
using web::View;
using web::Visit;

constexpr auto check_name = "check";
constexpr auto look_again = "2";  // seconds
constexpr auto csv_type = "text/csv; charset=utf-8";

View fact(const std::string& key, const std::string& value, const std::string& href = {},
          const std::string& link = {}) {
    return View{}.text("key", key).text("value", value).maybe("fact_href", href).text("fact_link", link);
}

Response file(const std::string& name, const std::string& type, std::string content) {
    Response response;
    response.type = type;
    response.body = std::move(content);
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + name + "\"");
    return response;
}

std::string continuity_in_words(const Findings& findings) {
    const auto before = grouped(findings.size_before) + " entries verified here before";
    switch (findings.continuity) {
        case Continuity::first:
            return "First check of this log on this machine; the next one is held against it";
        case Continuity::same:
            return "Yes: the same " + before;
        case Continuity::continued:
            return "Yes: the " + before + " are all in it, unchanged";
        case Continuity::shorter:
            return "No: " + before + ", and now there are fewer";
        case Continuity::rewritten:
            return "No: the " + before + " are others now";
        case Continuity::not_checked:
            break;
    }
    return "Not compared, as this one does not verify";
}

std::string listed(const std::vector<std::string>& names) {
    std::string out;
    for (const auto& name : names) out += (out.empty() ? "" : ", ") + printable(name);
    return out;
}

std::string witnesses_in_words(const Findings& findings) {
    const auto& v = findings.verification;
    if (v.witnesses_known == 0)
        return "What you trust names no witness: a log rewritten whole by whoever holds its key would not "
               "show";
    return std::to_string(v.witnesses.size()) + " of " + std::to_string(v.witnesses_known) +
           (v.witnesses_known == 1 ? " witness" : " witnesses") +
           (v.witnesses.empty() ? "" : ": " + listed(v.witnesses)) +
           (findings.missing.empty() ? "" : "; missing: " + listed(findings.missing));
}

std::string decisions_in_words(const Findings& findings) {
    if (!findings.decisions) return "Not done: " + printable(findings.not_decided);
    const auto& d = *findings.decisions;
    return grouped(d.same) + " the same, " + grouped(d.differs) + (d.differs == 1 ? " differs" : " differ") +
           ", " + grouped(d.not_replayable) + " cannot be made again, " + grouped(d.other_engine) +
           " of another engine";
}

}  // namespace

const std::set<std::string>& roles() {
    static const std::set<std::string> all{"auditor"};
    return all;
}

Pages::Pages(web::Site& site, Clock& clock, DeskOf desk)
    : site_{site},
      clock_{clock},
      desk_{std::move(desk)},
      sealed_{SealedTerms::in(desk_.directory).has_value()} {
    site_.templates().add_all(page_templates);
    site_.set_standing([this](Instant now) { return standing(now); });
    site_.set_navigation([this](const web::Person&, Instant) {
        const auto findings = found();
        const bool counted = findings && findings->unreadable.empty();
        return std::vector<web::NavigationItem>{
            {"/audit",          "Overview"                                                         },
            {"/audit/timeline", "Timeline"                                                         },
            {"/audit/explain",  "Explain"                                                          },
            {"/audit/open",
             counted ? "Open (" + std::to_string(findings->completeness.open.size()) + ")" : "Open"},
            {"/audit/export",   "The export"                                                       },
        };
    });
    const auto get = [this](const char* path, Response (Pages::*page)(const Visit&)) {
        site_.get(path, roles(), [this, page](const Visit& visit) { return (this->*page)(visit); });
    };
    get("/audit", &Pages::overview);
    get("/audit/timeline", &Pages::timeline);
    get("/audit/explain", &Pages::explanation);
    site_.get("/audit/explain/{index}", roles(),
              [this](const Visit& visit) { return explain_one(visit, visit.part("index")); });
    get("/audit/open", &Pages::open);
    get("/audit/entries/{index}", &Pages::entry);
    site_.get("/audit/entries/{index}/proof", roles(),
              [this](const Visit& visit) { return proof(visit, false); });
    site_.get("/audit/entries/{index}/leaf", roles(),
              [this](const Visit& visit) { return proof(visit, true); });
    get("/audit/export", &Pages::of_export);
    site_.get("/audit/in-time.csv", roles(), [this](const Visit& visit) { return numbers(visit, true); });
    site_.get("/audit/finished.csv", roles(), [this](const Visit& visit) { return numbers(visit, false); });
    for (const auto& chart : desk_.notices)
        site_.get("/audit/" + chart.name + ".csv", roles(),
                  [&chart](const Visit&) { return file(chart.name + ".csv", csv_type, chart.csv()); });
    site_.post("/audit/check", roles(), [this](const Visit& visit) { return check_again(visit); });
    begin_check();
}

// --- the check, and what every page says of it

void Pages::begin_check() {
    bench_.begin(check_name, [this](const Progress& progress) -> std::any {
        return Found{std::make_shared<const Findings>(
            check_export(desk_.directory, desk_.policy, desk_.key.get(), clock_.now(), progress))};
    });
}

Workbench::State Pages::look_at_check(std::chrono::milliseconds wait) {
    return bench_.look(check_name, wait);
}

Pages::Found Pages::found() {
    const auto state = look_at_check();
    return state.result.has_value() ? std::any_cast<Found>(state.result) : nullptr;
}

std::string Pages::standing(Instant now) {
    const auto state = look_at_check();
    const auto findings = state.result.has_value() ? std::any_cast<Found>(state.result) : nullptr;
    if (!findings) return state.running ? "The export is being checked." : "The export could not be checked.";
    const std::string of = findings->newest ? "Working from an export whose last entry is of " +
                                                  web::near(*findings->newest, now) + "."
                                            : "Working from an export.";
    return of + (findings->sound() ? " It verifies." : " It does not verify.");
}

std::optional<Response> Pages::unwritten(const Visit& visit, const std::string& what) {
    try {
        note_reading(desk_.directory, what, desk_.why, visit.person.name);
        return std::nullopt;
    } catch (const std::runtime_error& error) {
        spdlog::error("{}", error.what());
        return site_.message(visit, 503, "Sorry, there is a problem", words::not_shown);
    }
}

std::string Pages::sight() const {
    if (!sealed_) return words::public_export;
    return desk_.key ? words::with_key : words::no_key;
}

std::optional<std::uint64_t> Pages::index_in(const Visit& visit) const {
    const std::string& text = visit.part("index");
    std::uint64_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return index;
}

Response Pages::working(const Visit& visit, const Workbench::State& state, const std::string& what,
                        const Page& frame) {
    Page page = frame;
    page.name = "working";
    page.title = what;
    const bool still = visit.request.parameter("still") == "1";
    std::string here = visit.request.path + "?";
    for (const auto& [name, value] : visit.request.query)
        if (name != "still") here += web::encoded(name) + "=" + web::encoded(value) + "&";
    page.view.text("heading", what)
        .text("percent", std::to_string(state.percent))
        .text("again", here + (still ? "still=1" : ""))
        .flag("still", still)
        .text("stop", here + "still=1")
        .text("go_on", here);
    Response response = site_.page(visit, page);
    if (!still) response.headers.emplace_back("Refresh", look_again);
    return response;
}

Response Pages::check_again(const Visit& visit) {
    begin_check();
    spdlog::info("{} has the export checked again", visit.person.name);
    return web::redirect("/audit");
}

// --- overview

void Pages::fill_verdict(View& view, const Visit& visit, const Findings& findings) {
    const auto& v = findings.verification;
    std::string bad;
    if (findings.continuity == Continuity::shorter || findings.continuity == Continuity::rewritten)
        bad = "This is not the log that was verified here before. Keep this export, and the one from before.";
    else if (const auto first = findings.first_bad())
        bad = "First bad entry: " + grouped(*first) + ". Do not rely on anything after it. Keep this export.";
    else
        bad = "No entry can be relied on. Keep this export.";
    const std::string checked = "checked " + web::moment(findings.made, visit.now);
    view.flag("sound", findings.sound())
        .text("verdict", findings.sound() ? words::verifies : words::does_not_verify)
        .text("verdict_rest",
              findings.sound()
                  ? grouped(v.size) + (v.size == 1 ? " entry, " : " entries, ") + checked +
                        " against the head that " + printable(v.origin) + " signed" +
                        (v.witnesses.empty() ? "" : " and " + listed(v.witnesses) + " cosigned") + "."
                  : bad + " Tell: " + site_.settings().help + ".")
        .text("own_check", words::own_check);
}

std::vector<View> Pages::facts_of(const Findings& findings) const {
    const auto& v = findings.verification;
    std::vector<View> facts;
    facts.push_back(fact("Whole log hashed again",
                         findings.verification.verified()
                             ? "Yes: every entry leads to the signed root"
                             : "No: " + grouped(v.damage_count) +
                                   (v.damage_count == 1 ? " thing is damaged" : " things are damaged")));
    facts.push_back(fact("Signed head", v.origin.empty()
                                            ? "None that can be believed"
                                            : printable(v.origin) + ", " + grouped(v.size) + " entries"));
    facts.push_back(fact("Root", v.origin.empty() ? "-" : to_hex(v.root)));
    facts.push_back(fact("Cosigned by", witnesses_in_words(findings)));
    if (v.witnesses_known > 0)
        facts.push_back(fact("Quorum you insist on", v.origin.empty() ? "Not met, or not signed" : "Met"));
    facts.push_back(fact("Holds what was verified here before", continuity_in_words(findings)));
    facts.push_back(fact("Bodies", grouped(v.bodies) + " are the ones their entries name; " +
                                       grouped(v.bodies_absent) +
                                       " are not here (erased, or not handed over)"));
    if (!findings.unreadable.empty()) {
        facts.push_back(fact("What the entries say", "Cannot be read: " + printable(findings.unreadable)));
        return facts;
    }
    const auto& c = findings.completeness;
    facts.push_back(fact("Every notice finished",
                         grouped(c.issued) + " were issued, " + grouped(c.closed) + " are closed, " +
                             grouped(c.open.size()) + " are open; " + grouped(c.strays.size()) +
                             " entries close what was not open",
                         "/audit/open", "See them"));
    facts.push_back(fact("Decisions made again", decisions_in_words(findings)));
    facts.push_back(fact("Bodies destroyed", grouped(findings.erasures) + ", as the log says; it still holds "
                                                                          "together"));
    const auto steps = c.kinds.find("clock_step");
    facts.push_back(fact("Clock set", grouped(steps == c.kinds.end() ? 0 : steps->second) + " times"));
    return facts;
}

std::vector<View> Pages::rows_of(const Findings& findings) const {
    std::vector<View> rows;
    const auto add = [&](std::optional<std::uint64_t> index, const std::string& what,
                         const std::string& why) {
        if (rows.size() >= findings_shown_max) return;
        const std::string number = index ? std::to_string(*index) : "";
        rows.push_back(View{}
                           .flag("has_entry", index.has_value())
                           .text("finding_entry", number)
                           .text("finding_what", printable(what))
                           .text("finding_why", printable(why)));
    };
    if (findings.continuity == Continuity::shorter || findings.continuity == Continuity::rewritten)
        add(std::nullopt, "signed head", continuity_in_words(findings));
    for (const auto& damage : findings.verification.damages) add(entry_of(damage), damage.what, damage.why);
    if (findings.decisions)
        for (const auto& each : findings.decisions->differences)
            add(each.index, "decision on incident " + each.incident,
                "comes out otherwise when made again: " + each.what);
    for (const auto stray : findings.completeness.strays)
        add(stray, "entry " + std::to_string(stray), "closes a notice that is not open");
    return rows;
}

Response Pages::overview(const Visit& visit) {
    const auto state = look_at_check(look_patience);
    Page page{"overview", "Audit desk"};
    page.section = "/audit";
    page.section_itself = true;
    const auto findings = state.result.has_value() ? std::any_cast<Found>(state.result) : nullptr;
    if (!findings && state.running) return working(visit, state, "Checking the export", page);
    if (!findings)
        return site_.message(visit, 503, "The export could not be checked", printable(state.failure) + ".");
    if (auto refusal = unwritten(visit, "overview")) return *refusal;
    fill_verdict(page.view, visit, *findings);
    const auto rows = rows_of(*findings);
    const auto all =
        findings->verification.damage_count + (findings->decisions ? findings->decisions->differs : 0) +
        findings->completeness.strays.size() +
        (findings->continuity == Continuity::shorter || findings->continuity == Continuity::rewritten);
    const auto head = MappedFile::open(desk_.directory / "checkpoint");
    const bool outdated = !head || text(head->bytes()) != findings->checkpoint;
    std::vector<View> charts;
    if (findings->unreadable.empty() && findings->newest) {
        charts.push_back(chart_of(findings->in_time).view());
        charts.push_back(chart_of(findings->finished).view());
    }
    std::vector<View> counted;
    for (const auto& chart : desk_.notices) counted.push_back(chart.view());
    page.view.list("facts", facts_of(*findings))
        .flag("checking", state.running)
        .text("percent", std::to_string(state.percent))
        .maybe("failure", state.failure.empty() ? "" : printable(state.failure))
        .flag("outdated", outdated && !state.running)
        .flag("any_findings", !rows.empty())
        .text("findings_caption", "Findings (" + grouped(all) + ")")
        .maybe("more_findings", all > rows.size() ? "and " + grouped(all - rows.size()) + " more" : "")
        .list("findings", rows)
        .list("charts", charts)
        .flag("any_charts", !charts.empty())
        .list("counted", counted)
        .flag("any_counted", !counted.empty())
        .text("sight", sight())
        .text("reference_hint", desk_.key
                                    ? "Force and reference, such as 31/OCC-2026-0815, or the number of its "
                                      "entry"
                                    : "The number of its entry, as the timeline shows it")
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once());
    Response response = site_.page(visit, page);
    if (state.running) response.headers.emplace_back("Refresh", look_again);
    return response;
}

Response Pages::numbers(const Visit& visit, bool of_time) {
    const auto findings = found();
    if (!findings || !findings->unreadable.empty() || !findings->newest) return site_.not_found(visit);
    if (auto refusal = unwritten(visit, "numbers of a chart")) return *refusal;
    const Chart chart = of_time ? chart_of(findings->in_time) : chart_of(findings->finished);
    return file(chart.name + ".csv", csv_type, chart.csv());
}

// --- open notices

Response Pages::open(const Visit& visit) {
    const auto state = look_at_check(look_patience);
    Page page{"open", "Open notices"};
    page.section = "/audit/open";
    page.section_itself = true;
    const auto findings = state.result.has_value() ? std::any_cast<Found>(state.result) : nullptr;
    if (!findings && state.running) return working(visit, state, "Checking the export", page);
    if (!findings || !findings->unreadable.empty())
        return site_.message(visit, 503, "The entries cannot be read",
                             printable(findings ? findings->unreadable : state.failure) + ".");
    if (auto refusal = unwritten(visit, "open")) return *refusal;
    const auto& c = findings->completeness;
    std::vector<View> rows, strays;
    for (const auto& notice : c.open) {
        if (rows.size() == open_shown_max) break;
        const auto due = findings->due.find(notice.index);
        const bool known = due != findings->due.end();
        const bool late = known && due->second <= *findings->newest;
        rows.push_back(View{}
                           .text("open_entry", std::to_string(notice.index))
                           .text("open_recipient", printable(notice.recipient))
                           .text("open_where", printable(notice.topic) + " #" + std::to_string(notice.number))
                           .text("open_since", exact_time(notice.since))
                           .text("open_due", known ? exact_time(due->second) : "Not known here")
                           .flag("open_late", late)
                           .text("open_rule", printable(notice.rule)));
    }
    for (const auto index : c.strays) {
        if (strays.size() == open_shown_max) break;
        strays.push_back(View{}.text("stray_entry", std::to_string(index)));
    }
    const auto left = c.open.size() - rows.size(), strays_left = c.strays.size() - strays.size();
    page.view
        .text("summary", grouped(c.issued) + (c.issued == 1 ? " notice was" : " notices were") + " issued, " +
                             grouped(c.closed) + (c.closed == 1 ? " is" : " are") + " closed, " +
                             grouped(c.open.size()) + (c.open.size() == 1 ? " is" : " are") + " open.")
        .flag("none_open", rows.empty())
        .text("caption", "Not closed by anybody (" + grouped(c.open.size()) + ")")
        .list("rows", rows)
        .maybe("more_open", left > 0 ? "and " + grouped(left) + " more" : "")
        .flag("any_strays", !strays.empty())
        .text("strays_heading", "Closed twice, or never owed (" + grouped(c.strays.size()) + ")")
        .list("strays", strays)
        .maybe("more_strays", strays_left > 0 ? "and " + grouped(strays_left) + " more" : "");
    return site_.page(visit, page);
}

// --- one entry and its proof

Response Pages::entry(const Visit& visit) {
    const auto index = index_in(visit);
    std::optional<Proven> proven;
    std::string trouble;
    try {
        if (index) proven = prove(desk_.directory, *index);
    } catch (const std::runtime_error& error) {
        trouble = error.what();
    }
    const auto checkpoint = MappedFile::open(desk_.directory / "checkpoint");
    if (!index || !checkpoint) return site_.not_found(visit);
    if (!proven && trouble.find("the export has") != std::string::npos) return site_.not_found(visit);
    if (auto refusal = unwritten(visit, "entry")) return *refusal;

    std::string shown;
    std::vector<View> facts;
    bool holds = false;
    if (proven) {
        const auto judged = log::check_proof(proven->proof, proven->leaf, desk_.policy);
        holds = judged.has_value();
        if (!judged) trouble = judged.error().where;
        const auto leaf = log::decode_leaf(proven->leaf);
        shown = leaf ? who_in_words(*leaf) + " " + deed_in_words(*leaf) + "."
                     : "These bytes are no entry: " + printable(leaf.error().where) + ".";
        if (leaf)
            for (const auto& [key, value, related] : facts_of_leaf(*leaf))
                facts.push_back(fact(key, value, related, related.empty() ? "" : "See it"));
    }
    const std::string number = std::to_string(*index);
    Page page{"entry", "Entry " + number};
    page.section = "/audit/timeline";
    page.back_href = "/audit/timeline";
    page.back_text = "Timeline";
    page.view.text("number_shown", grouped(*index))
        .text("path", "/audit/entries/" + number)
        .text("shown", shown)
        .list("facts", facts)
        .flag("holds", holds)
        .text("trouble", printable(trouble))
        .text("sight", sight())
        .text("command",
              "flagpost-audit check entry-" + number + ".tlog-proof entry-" + number + ".leaf " + desk_.tool);
    return site_.page(visit, page);
}

Response Pages::proof(const Visit& visit, bool leaf) {
    const auto index = index_in(visit);
    if (!index) return site_.not_found(visit);
    std::optional<Proven> proven;
    try {
        proven = prove(desk_.directory, *index);
    } catch (const std::runtime_error&) {
        return site_.not_found(visit);
    }
    if (auto refusal = unwritten(visit, "proof")) return *refusal;
    const std::string name = "entry-" + std::to_string(*index);
    if (leaf) return file(name + ".leaf", "application/octet-stream", std::string{text(proven->leaf)});
    return file(name + ".tlog-proof", "text/plain; charset=utf-8", proven->proof.format());
}

// --- the export itself

Response Pages::of_export(const Visit& visit) {
    if (auto refusal = unwritten(visit, "export")) return *refusal;
    const auto terms = SealedTerms::in(desk_.directory);
    const auto findings = found();
    const auto readings = readings_of(desk_.directory);
    std::vector<View> facts{
        fact("Kind", terms ? "Sealed: bodies lie in it, and what opens those in scope, for one key alone"
                           : "Public: entries, hashes and policies; no bodies"),
    };
    if (terms) {
        facts.push_back(fact("Scope", printable(terms->scope)));
        facts.push_back(fact("Reason given", printable(terms->reason)));
        facts.push_back(fact("Sealed to", to_hex(terms->key)));
    }
    if (findings) {
        facts.push_back(fact("Entries", grouped(findings->verification.size)));
        if (findings->newest) facts.push_back(fact("Last entry", exact_time(*findings->newest)));
        facts.push_back(fact("Bodies open to this desk", grouped(findings->bodies_open)));
    }
    facts.push_back(fact("Readings written down", grouped(readings.made) + ", of which the broker was told " +
                                                      grouped(readings.told)));
    Page page{"export", "The export"};
    page.section = "/audit/export";
    page.section_itself = true;
    page.view.list("facts", facts).text("sight", sight());
    return site_.page(visit, page);
}

}  // namespace flagpost::auditor
