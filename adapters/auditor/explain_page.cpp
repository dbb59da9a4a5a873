/// Why these people were told of an incident and others not, as a page.
#include "adapters/auditor/explain.h"
#include "adapters/auditor/mapped_file.h"
#include "adapters/auditor/page_words.h"
#include "adapters/auditor/pages.h"
#include "adapters/auditor/printable.h"
#include "adapters/web/when.h"
#include "broker/match/compare.h"

namespace flagpost::auditor {
namespace {

using Json = nlohmann::ordered_json;
using Story = std::shared_ptr<const Json>;
using web::Page;
using web::Response;
using web::View;
using web::Visit;

constexpr std::size_t incident_size_max = 128;  // bytes typed

std::string said(const Json& object, const char* name) {
    if (!object.contains(name)) return "";
    const auto& value = object[name];
    return printable(value.is_string() ? value.get<std::string>() : value.dump());
}

/// "2026-03-02T21:40:12Z" as evidence is dated.
std::string moment(const Json& object, const char* name) {
    std::string text = said(object, name);
    if (text.size() != 20) return text;
    text[10] = ' ';
    return text.substr(0, 19) + " UTC";
}

/// The key of a flag is its authority's own number. That of a pupil may hold a name and a date of birth, which no page shows.
std::string subject_in_words(const std::string& key) {
    static constexpr std::string_view pupil = "pupil/";
    if (!key.starts_with(pupil)) return key;
    static constexpr std::string_view registered = "pupil/0/";
    if (key.starts_with(registered))
        return "A child on the register of education/" +
               key.substr(registered.size(), key.find('/', registered.size()) - registered.size());
    return "A pupil of school/" + key.substr(pupil.size(), key.find('/', pupil.size()) - pupil.size());
}

View hit_view(const Json& hit) {
    std::string how;
    if (hit.contains("hit")) how += ", by " + said(hit, "hit");
    if (hit.contains("through")) how += ", through " + said(hit, "through");
    if (hit.contains("person_of_incident"))
        how += ", person " + said(hit, "person_of_incident") + " of the incident";
    std::vector<View> reasons, weights;
    for (const auto& reason : hit["reasons"])
        reasons.push_back(View{}.text("reason", printable(reason.get<std::string>())));
    for (const auto& each : hit["evidence"]) {
        const auto [what, found] = match::finding({said(each, "field"), said(each, "level")});
        weights.push_back(View{}
                              .text("weight_field", what)
                              .text("weight_level", found)
                              .text("weight", said(each, "weight")));
    }
    return View{}
        .text("hit_subject", subject_in_words(said(hit, "subject")))
        .text("hit_outcome", web::capital(said(hit, "outcome")) + how)
        .text("hit_means", web::capital(said(hit, "means")) + ".")
        .text("hit_bits", said(hit, "bits"))
        .list("reasons", reasons)
        .flag("weighed", !weights.empty())
        .list("weights", weights);
}

View notice_view(const Json& notice) {
    std::vector<View> answers;
    for (const auto& answer : notice["answers"])
        answers.push_back(
            View{}
                .text("answer_entry", said(answer, "index"))
                .text("answer_words",
                      "A named person of " + said(answer, "by") + " " + said(answer, "what") + " it" +
                          (said(answer, "outcome").empty() ? "" : ": " + said(answer, "outcome")) +
                          (answer["closes"].get<bool>() ? ", which closes it" : ""))
                .text("answer_time", moment(answer, "time")));
    return View{}
        .text("told_entry", said(notice, "index"))
        .text("told_recipient", said(notice, "recipient"))
        .text("told_reference", notice.contains("reference") ? said(notice, "reference") : "a notice")
        .text("told_news", said(notice, "news"))
        .text("told_rule", said(notice, "rule"))
        .text("told_purpose", said(notice, "purpose"))
        .text("told_basis", listed(notice["legal_basis"]))
        .maybe("told_due", notice.contains("due") ? moment(notice, "due") : "")
        .list("answers", answers)
        .flag("unanswered", answers.empty());
}

View decision_view(const Json& part, const std::string& again) {
    std::vector<View> hits, unplaced, told, not_told;
    for (const auto& hit : part["hits"]) hits.push_back(hit_view(hit));
    for (const auto& child : part["unplaced"])
        unplaced.push_back(View{}.text(
            "unplaced_words", "Person " + said(child, "person_of_incident") +
                                  " of the incident, a child, is at no school known: " + said(child, "why")));
    for (const auto& notice : part["told"]) told.push_back(notice_view(notice));
    for (const auto& withheld : part["not_told"])
        not_told.push_back(View{}
                               .text("kept_entry", said(withheld, "index"))
                               .text("kept_recipient", said(withheld, "recipient"))
                               .text("kept_why", said(withheld, "why")));
    const std::string shut = said(part, "not_readable");
    return View{}
        .flag("any_hits", !hits.empty())
        .list("hits", hits)
        .list("unplaced", unplaced)
        .flag("nobody_told", told.empty())
        .list("told", told)
        .list("not_told", not_told)
        .text("candidates", said(part, "candidates"))
        .text("outcome", web::capital(decision_in_words(said(part, "outcome"))))
        .text("agreement", said(part, "agreement"))
        .text("engine", said(part, "engine"))
        .text("again", again)
        .maybe("shut",
               shut.empty() ? "" : "On what evidence cannot be told: the explanation is " + shut + ".");
}

View version_view(const Json& part) {
    return View{}
        .text("incident", said(part, "incident"))
        .text("by", said(part, "by"))
        .text("version", part["version"] == 0 ? "not known here" : said(part, "version"))
        .text("purpose", said(part, "purpose"))
        .text("basis", listed(part["legal_basis"]));
}

std::string again_in_words(const Findings* findings, std::uint64_t index) {
    if (findings == nullptr || !findings->decisions) return "Not done";
    const auto& d = *findings->decisions;
    for (const auto& each : d.differences)
        if (each.index == index) return "Comes out otherwise: " + printable(each.what);
    const bool all = d.not_replayable == 0 && d.other_engine == 0 && d.differs == d.differences.size();
    return all ? "The same" : "Not among those that come out otherwise; some could not be made again";
}

std::vector<View> parts_of(const Json& story, const Findings* findings) {
    std::vector<View> told;
    for (const auto& part : story) {
        const bool decided = part["what"] == "decided";
        View view;
        view.text("part_entry", said(part, "index"))
            .text("part_time", moment(part, "time"))
            .text("part_heading", !decided                   ? "Published"
                                  : part["late"].get<bool>() ? "Decided again, as the register had changed"
                                                             : "Decided")
            .list("versions", decided ? std::vector<View>{} : std::vector{version_view(part)})
            .list("decisions", decided
                                   ? std::vector{decision_view(
                                         part, again_in_words(findings, part["index"].get<std::uint64_t>()))}
                                   : std::vector<View>{});
        told.push_back(std::move(view));
    }
    return told;
}

}  // namespace

Workbench::State Pages::explained(const std::string& incident) {
    // Of the export as it is now: what was read of a former one is no answer.
    const auto head = MappedFile::open(desk_.directory / "checkpoint");
    const std::string name = "explain " + incident + "\n" + std::string{head ? text(head->bytes()) : ""};
    auto state = bench_.look(name);
    if (!state.asked || !(state.running || state.failure.empty())) {
        const bool begun = bench_.begin(name, [this, incident](const Progress& progress) -> std::any {
            return Story{
                std::make_shared<const Json>(explain(desk_.directory, desk_.key.get(), incident, progress))};
        });
        if (!begun) {
            state.failure = "too much is being looked for at once; try again in a minute";
            return state;
        }
    }
    return bench_.look(name, look_patience);
}

Response Pages::explanation(const Visit& visit) {
    return explain_one(visit, visit.request.parameter("incident"));
}

Response Pages::explain_one(const Visit& visit, const std::string& typed) {
    const std::string incident = typed.substr(0, incident_size_max);
    const bool by_entry = !incident.empty() && incident.find_first_not_of("0123456789") == std::string::npos;
    Page page{"explain", "Explain"};
    page.section = "/audit/explain";
    page.section_itself = visit.request.path == "/audit/explain";
    std::string mistake;
    Story story;
    if (!incident.empty() && !by_entry && !desk_.key)
        mistake = "Enter the number of an entry; references stand in bodies, which are not open to this desk";
    if (!incident.empty() && mistake.empty()) {
        const auto state = explained(incident);
        if (state.running) return working(visit, state, "Reading the export", page);
        if (state.result.has_value()) story = std::any_cast<Story>(state.result);
        if (!story)
            mistake = web::capital(printable(state.failure));
        else if (story->empty())
            mistake = by_entry ? "This entry is not a version of an incident"
                               : "No incident of this reference is in this export, or it is erased: try the "
                                 "number of its entry";
    }
    const bool shown = story && !story->empty();
    if (shown)
        if (auto refusal = unwritten(visit, "explain")) return *refusal;
    if (!mistake.empty()) {
        page.status = 422;
        page.title = "Error: Explain";
    }
    const auto findings = found();
    page.view.maybe("mistake", mistake)
        .text("typed", incident)
        .text("reference_hint", desk_.key
                                    ? "Force and reference, such as 31/OCC-2026-0815, or the number of its "
                                      "entry"
                                    : "The number of its entry, as the timeline shows it")
        .text("sight", sight())
        .flag("explained", shown)
        .text("timeline", "/audit/timeline?incident=" + web::encoded(incident))
        .list("parts", shown ? parts_of(*story, findings.get()) : std::vector<View>{});
    return site_.page(visit, page);
}

}  // namespace flagpost::auditor
