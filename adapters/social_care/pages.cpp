#include "adapters/social_care/pages.h"

#include <algorithm>

#include "adapters/desk/kept_from.h"
#include "adapters/desk/questions.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/social_care/notice_text.h"
#include "adapters/web/words.h"
#include "social_care_templates.h"

namespace flagpost::social_care {
namespace {

using web::Group;
using web::Person;
using web::Response;
using web::Visit;

const std::set<std::string> readers{"worker", "duty", "manager"};
const web::InboxKind inbox_kind{
    "Act by",
    "What happened",
    "For",
    "something from you or your team",
    {{"all", "Mine and my team's"}, {"mine", "Only mine"}, {"duty", "Duty desk"}}
};

constexpr std::size_t open_max = 100'000;  // of one kind: more than any authority acts on

/// The far future where nothing is said. Of what was read already: reading it anew for each comparison takes a second.
Instant due(const Notice& notice) {
    return notice.value->act_by_us == 0 ? Instant::max() : from_us(notice.value->act_by_us);
}

bool in_team(const Person& person, const Notice& notice) { return person.teams.contains(notice.value->team); }
bool is_worker(const Person& person, const Notice& notice) {
    return notice.value->worker && notice.value->worker->name == person.called;
}

std::string name_or_unborn(const schemas::SocialCareNoticeValue& notice) {
    const std::string words = child_in_words(notice);
    return words.substr(0, words.find(" (born "));
}

bool is_theirs(const std::string& name, const std::string& called, const Notice& notice) {
    if (!notice.holder.empty()) return notice.holder == name;
    return notice.value->worker && notice.value->worker->name == called;
}
/// What somebody who is away would have been told: their own, not their team's.
bool is_covered(const Person& person, const Notice& notice) {
    return std::ranges::any_of(person.covering, [&](const web::Covered& absent) {
        return is_theirs(absent.name, absent.called, notice);
    });
}

bool corrects(const Notice& notice) { return notice.value->incident_version > 1 && !notice.item.recorded; }

/// What was set apart by hand for the person, apart from what the whole duty desk sees.
bool shown(const Visit& visit, const Notice& notice, const std::string& show) {
    if (show == "mine")
        return is_worker(visit.person, notice) || notice.holder == visit.person.name ||
               is_covered(visit.person, notice);
    if (show == "duty") return !notice.value->worker || notice.value->worker->name.empty();
    return true;
}

}  // namespace

const std::set<std::string>& roles() {
    static const std::set<std::string> all{"worker", "duty", "manager", "reviewer", "feeder", "admin"};
    return all;
}

bool may_see(const Person& person, const Notice& notice) {
    if (!readers.contains(person.role)) return false;
    if (desk::is_kept_from(notice.kept_from, person.called, person.name)) return false;
    if (person.role == "duty" || notice.holder == person.name || is_worker(person, notice) ||
        is_covered(person, notice))
        return true;
    if (person.role == "manager" && person.teams.empty()) return true;
    return in_team(person, notice);
}

bool is_intended(const Person& person, const Notice& notice) {
    if (!may_see(person, notice)) return false;
    if (notice.holder == person.name || is_worker(person, notice) || is_covered(person, notice)) return true;
    return person.role != "manager" && may_see(person, notice);
}

Group group_of(const Notice& notice, bool corrected, Instant now) {
    if (due(notice) <= now) return Group::overdue;
    return corrected ? Group::changed : Group::to_do;
}

Pages::Pages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
             web::People& people, const PageSettings& settings)
    : site_{site},
      reader_{reader},
      handover_{handover},
      journal_{journal},
      people_{people},
      work_{site, reader, handover, journal, people},
      reviews_{site, reader, handover, journal},
      settings_{settings},
      open_{reader, journal, schemas::Kind::social_care_notice} {
    site_.templates().add_all(page_templates);
    site_.set_connection([&handover] { return handover.connection(); });
    site_.set_navigation([this](const Person& person, Instant) {
        std::vector<web::NavigationItem> items;
        if (person.role == "reviewer")
            items.push_back({"/review", "Review (" + std::to_string(reviews_.open_count(person)) + ")"});
        if (person.role == "feeder") items.push_back({"/flags", "Flags we send"});
        if (person.role == "admin") items.push_back({"/users", "People"});
        if (person.role == "admin") items.push_back({"/cover", "Cover"});
        if (!readers.contains(person.role)) return items;
        std::size_t open = open_ones(person).theirs.size();
        for (const auto& recall : work_.open_recalls()) open += may_see_recall(person, recall) ? 1 : 0;
        items.push_back({"/inbox", "Inbox (" + std::to_string(open) + ")"});
        items.push_back({"/done", "Done"});
        items.push_back({"/cover", "Cover"});
        if (person.role == "manager") items.push_back({"/reports", "Reports"});
        return items;
    });
    site_.get("/inbox", readers, [this](const Visit& visit) { return inbox(visit); });
    site_.get("/done", readers, [this](const Visit& visit) { return done(visit); });
    site_.get("/notices/{ref}", readers, [this](const Visit& visit) { return notice(visit, false); });
    site_.get("/notices/{ref}/print", readers, [this](const Visit& visit) { return notice(visit, true); });
    site_.post("/notices/{ref}/record", readers, [this](const Visit& visit) { return record(visit); });
    site_.post("/notices/{ref}/take", readers, [this](const Visit& visit) { return take(visit); });
    site_.get("/notices/{ref}/change", readers, [this](const Visit& visit) { return change(visit, false); });
    site_.post("/notices/{ref}/change", readers, [this](const Visit& visit) { return change(visit, true); });
    site_.get("/notices/{ref}/pass", readers,
              [this](const Visit& visit) { return ask_colleague(visit, {}); });
    site_.post("/notices/{ref}/pass", readers, [this](const Visit& visit) { return pass(visit); });
    site_.get("/notices/{ref}/ask", readers,
              [this](const Visit& visit) { return ask_police(visit, {}, {}); });
    site_.post("/notices/{ref}/ask", readers, [this](const Visit& visit) { return send_question(visit); });
    site_.get("/notices/{ref}/not-this-child", readers,
              [this](const Visit& visit) { return ask_why_not(visit, {}); });
    site_.post("/notices/{ref}/not-this-child", readers,
               [this](const Visit& visit) { return dispute(visit); });
}

Notice Pages::notice_from(client::Incoming item, const web::Beside& known) const {
    Notice notice{std::move(item), {}, {}};
    notice.value = std::make_shared<const schemas::SocialCareNoticeValue>(notice_of(notice.item));
    web::add_beside(notice, known);
    return notice;
}

Pages::Open::Some Pages::open_ones(const Person& person) {
    auto ones = open_.those([&](const Notice& notice) { return may_see(person, notice); });
    std::ranges::stable_sort(ones.theirs, {}, [](const Notice* notice) { return due(*notice); });
    return ones;
}

std::vector<std::string> Pages::open_of(const Person& person) {
    std::set<std::string> references;
    for (const auto all = open_.all(); const Notice& notice : *all)
        if (is_theirs(person.name, person.called, notice)) references.insert(notice.value->reference);
    return {references.begin(), references.end()};
}

std::optional<Notice> Pages::find(const Person& person, const std::string& reference) {
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    if (!item || item->kind != schemas::Kind::social_care_notice) return std::nullopt;
    Notice notice = notice_from(std::move(*item), web::beside(reader_, journal_));
    if (notice.value->reference != reference || !may_see(person, notice)) return std::nullopt;
    if (work_.recall_of(notice.item)) return std::nullopt;  // what it says is not shown again
    return notice;
}

// Whoever could see the notice; what never came here is for those who see everything.
bool Pages::may_see_recall(const Person& person, const client::Incoming& recall) {
    const auto reference = desk::recall_of(recall).recalled_reference;
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    if (item && item->kind == schemas::Kind::social_care_notice)
        return may_see(person, notice_from(std::move(*item), web::beside(reader_, journal_)));
    return person.role == "duty" || (person.role == "manager" && person.teams.empty());
}

std::optional<client::Incoming> Pages::find_recall(const Person& person, const std::string& reference) {
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    if (item && item->kind == schemas::Kind::social_care_notice) item = work_.recall_of(*item);
    if (!item || item->kind != schemas::Kind::recall || !may_see_recall(person, *item)) return std::nullopt;
    return item;
}

// --- lists

web::InboxRow Pages::row(const Visit& visit, const Notice& notice, bool corrected) {
    const auto& value = *notice.value;
    web::InboxRow row;
    row.group = group_of(notice, corrected, visit.now);
    row.child = name_or_unborn(value);
    row.reference = value.reference;
    row.due.at = "No time set";
    row.state = web::tag("Opened", "");
    if (value.outcome == schemas::Outcome::potential)
        row.tags.push_back(web::tag("Possible match", "yellow"));
    if (!value.flag_end.empty()) row.tags.push_back(web::tag("Historic", "yellow"));
    if (value.act_by_us != 0) row.due = web::due_of(from_us(value.act_by_us), visit.now);
    row.what = web::said(value.category);
    if (value.occurred_us != 0) row.when = web::capital(web::near(from_us(value.occurred_us), visit.now));
    if (!notice.item.opened) row.state = web::tag("Not opened", row.due.late ? "red" : "grey");
    if (!notice.holder.empty()) row.state = web::tag("Taken by " + work_.called(notice.holder), "");
    if (corrected) row.state = web::tag("Corrected", "orange");
    std::string whose = value.team.empty() ? "Duty desk" : value.team;
    if (value.worker && !value.worker->name.empty()) whose = value.worker->name;
    if (!notice.holder.empty()) whose = work_.called(notice.holder);
    row.whose = whose == visit.person.called ? "You" : desk::printable(whose);
    return row;
}

std::vector<web::InboxRow> Pages::answer_rows(const Visit& visit, const std::string& show) {
    std::vector<web::InboxRow> rows;
    const auto known = web::beside(reader_, journal_);
    for (const auto& item : reader_.read(
             [](const client::Box& box) { return box.unrecorded(schemas::Kind::answer, open_max); })) {
        if (item.opened) continue;
        auto about = asked_about(item);
        if (!about) continue;
        const Notice notice = notice_from(std::move(*about), known);
        if (!may_see(visit.person, notice) || !shown(visit, notice, show)) continue;
        const auto value = desk::answer_of(item);
        web::InboxRow row;
        row.due = web::due_of(from_us(value.read_by_us), visit.now);
        row.group = row.due.late ? web::Group::overdue : web::Group::changed;
        row.child = "Police answered";
        row.reference = notice.value->reference;
        row.what = desk::in_words(desk::answer_codes, value.outcome);
        row.when = web::capital(web::near(from_us(value.answered_us), visit.now));
        row.whose = notice.value->worker && !notice.value->worker->name.empty()
                        ? desk::printable(notice.value->worker->name)
                        : desk::printable(notice.value->team);
        if (row.whose == visit.person.called) row.whose = "You";
        row.state = web::tag("Not opened", row.due.late ? "red" : "grey");
        rows.push_back(std::move(row));
    }
    return rows;
}

Response Pages::inbox(const Visit& visit) {
    const std::string show = web::shown_of(visit, inbox_kind);
    std::vector<web::InboxLine> lines;
    const auto notices = open_ones(visit.person);
    for (const Notice* notice : notices.theirs)
        if (shown(visit, *notice, show))
            lines.push_back({group_of(*notice, corrects(*notice), visit.now),
                             [this, &visit, notice] { return row(visit, *notice, corrects(*notice)); }});
    for (const auto& recall : work_.open_recalls())
        if (may_see_recall(visit.person, recall))
            lines.push_back(web::line_of(work_.recall_row(visit, recall)));
    for (auto& answer : answer_rows(visit, show)) lines.push_back(web::line_of(std::move(answer)));
    auto kind = inbox_kind;
    for (const auto& absent : visit.person.covering)
        kind.notes.push_back("You are covering " + desk::printable(absent.called) + " until " +
                             web::day_of_date(absent.until, visit.now) + ".");
    auto page = web::inbox_page(visit, kind, lines);
    if (visit.request.parameter("done") == "passed")
        page.success = "Passed on. It is in your colleague's inbox now.";
    return site_.page(visit, page);
}

Response Pages::done(const Visit& visit) {
    std::vector<web::View> rows;
    const auto known = web::beside(reader_, journal_);
    std::set<std::string> seen;
    for (auto& item : reader_.read([&](const client::Box& box) {
             return box.recorded_since(visit.now - web::done_kept, web::done_shown_max);
         })) {
        if (item.kind == schemas::Kind::recall && may_see_recall(visit.person, item))
            rows.push_back(
                work_.done_row(visit, desk::recall_of(item).reference, "Recall", item, desk::recall_codes));
        if (item.kind != schemas::Kind::social_care_notice || work_.recall_of(item)) continue;
        const Notice notice = notice_from(std::move(item), known);
        if (may_see(visit.person, notice) && seen.insert(notice.value->reference).second)
            rows.push_back(work_.done_row(visit, notice.value->reference, "", notice.item, outcome_codes));
    }
    return site_.page(visit, work_.done_page(rows));
}

}  // namespace flagpost::social_care
