#include "adapters/social_care/pages.h"

#include <algorithm>

#include "adapters/desk/words.h"
#include "adapters/social_care/notice_text.h"
#include "adapters/web/when.h"
#include "adapters/web/words.h"
#include "social_care_templates.h"

namespace flagpost::social_care {
namespace {

using web::Page;
using web::Person;
using web::Response;
using web::View;
using web::Visit;

const std::set<std::string> readers{"worker", "duty", "manager"};
constexpr std::size_t overdue_shown_max = 200;
constexpr std::size_t rows_a_page = 25;
constexpr std::size_t done_shown_max = 500;
constexpr std::chrono::hours done_kept{24 * 90};

bool in_team(const Person& person, const Notice& notice) { return person.teams.contains(notice.value.team); }
bool is_worker(const Person& person, const Notice& notice) {
    return notice.value.worker && notice.value.worker->name == person.called;
}

std::string name_or_unborn(const schemas::SocialCareNoticeValue& notice) {
    const std::string words = child_in_words(notice);
    return words.substr(0, words.find(" (born "));
}

bool corrects(const Notice& notice) { return notice.value.incident_version > 1 && !notice.item.recorded; }

View tag(const std::string& words, const std::string& colour) {
    return View{}
        .text("tag", words)
        .text("tag_style", "govuk-tag" + (colour.empty() ? "" : " govuk-tag--" + colour));
}

/// What was set apart by hand for the person, apart from what the whole duty desk sees.
bool shown(const Visit& visit, const Notice& notice, const std::string& show) {
    if (show == "mine") return is_worker(visit.person, notice) || notice.holder == visit.person.name;
    if (show == "duty") return !notice.value.worker || notice.value.worker->name.empty();
    return true;
}

}  // namespace

const std::set<std::string>& roles() {
    static const std::set<std::string> all{"worker", "duty", "manager", "feeder", "admin"};
    return all;
}

bool may_see(const Person& person, const Notice& notice) {
    if (!readers.contains(person.role)) return false;
    if (person.role == "duty" || notice.holder == person.name || is_worker(person, notice)) return true;
    if (person.role == "manager" && person.teams.empty()) return true;
    return in_team(person, notice);
}

bool is_intended(const Person& person, const Notice& notice) {
    if (notice.holder == person.name || is_worker(person, notice)) return true;
    return person.role != "manager" && may_see(person, notice);
}

Group group_of(const Notice& notice, bool corrected, Instant now) {
    if (due(notice.item) <= now) return Group::overdue;
    return corrected ? Group::changed : Group::to_do;
}

Pages::Pages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
             web::People& people, const PageSettings& settings)
    : site_{site},
      reader_{reader},
      handover_{handover},
      journal_{journal},
      people_{people},
      settings_{settings} {
    site_.templates().add_all(page_templates);
    site_.set_connection([this] { return handover_.connection(); });
    site_.set_navigation([this](const Person& person, Instant) {
        if (!readers.contains(person.role)) return std::vector<web::NavigationItem>{};
        return std::vector<web::NavigationItem>{
            {"/inbox", "Inbox (" + std::to_string(open_ones(person).size()) + ")"},
            {"/done",  "Done"                                                    }
        };
    });
    site_.get("/inbox", readers, [this](const Visit& visit) { return inbox(visit); });
    site_.get("/done", readers, [this](const Visit& visit) { return done(visit); });
    site_.get("/notices/{ref}", readers, [this](const Visit& visit) { return notice(visit, false); });
    site_.get("/notices/{ref}/print", readers, [this](const Visit& visit) { return notice(visit, true); });
    site_.post("/notices/{ref}/record", readers, [this](const Visit& visit) { return record(visit); });
    site_.post("/notices/{ref}/take", readers, [this](const Visit& visit) { return take(visit); });
    site_.get("/notices/{ref}/pass", readers,
              [this](const Visit& visit) { return ask_colleague(visit, {}); });
    site_.post("/notices/{ref}/pass", readers, [this](const Visit& visit) { return pass(visit); });
    site_.get("/notices/{ref}/not-this-child", readers,
              [this](const Visit& visit) { return ask_why_not(visit, {}); });
    site_.post("/notices/{ref}/not-this-child", readers,
               [this](const Visit& visit) { return dispute(visit); });
}

Notice Pages::notice_from(client::Incoming item, const std::map<std::string, std::string>& holders) const {
    Notice notice{std::move(item), {}, {}};
    notice.value = notice_of(notice.item);
    const auto holder = holders.find(notice.value.reference);
    if (holder != holders.end()) notice.holder = holder->second;
    return notice;
}

std::vector<Notice> Pages::open_ones(const Person& person) {
    const auto holders = journal_.holders();
    std::map<std::string, Notice> newest;  // an escalation brings a notice again, under the same reference
    for (auto& item : reader_.read([](const client::Box& box) { return box.inbox(); })) {
        if (item.kind != schemas::Kind::social_care_notice) continue;
        Notice notice = notice_from(std::move(item), holders);
        const std::string reference = notice.value.reference;
        if (may_see(person, notice)) newest.insert_or_assign(reference, std::move(notice));
    }
    std::vector<Notice> notices;
    for (auto& [reference, notice] : newest) notices.push_back(std::move(notice));
    std::ranges::stable_sort(notices, {}, [](const Notice& notice) { return due(notice.item); });
    return notices;
}

std::optional<Notice> Pages::find(const Person& person, const std::string& reference) {
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    if (!item || item->kind != schemas::Kind::social_care_notice) return std::nullopt;
    Notice notice = notice_from(std::move(*item), journal_.holders());
    if (notice.value.reference != reference || !may_see(person, notice)) return std::nullopt;
    return notice;
}

std::string Pages::called(const std::string& name) {
    const auto person = people_.find(name);
    return person ? person->called : name;
}

std::string Pages::who(const Visit& visit, const std::string& called_by) const {
    return called_by == visit.person.called ? "you" : desk::printable(called_by);
}

// --- lists

View Pages::row(const Visit& visit, const Notice& notice, bool corrected) {
    const auto& value = notice.value;
    std::vector<View> tags;
    if (value.outcome == schemas::Outcome::potential) tags.push_back(tag("Possible match", "yellow"));
    if (!value.flag_end.empty()) tags.push_back(tag("Historic", "yellow"));
    const bool timed = value.act_by_us != 0;
    const web::Due deadline = timed ? web::due_of(from_us(value.act_by_us), visit.now)
                                    : web::Due{"No time set", "", "fp-due", false};
    View state = tag("Not opened", deadline.late ? "red" : "grey");
    if (notice.item.opened) state = tag("Opened", "");
    if (!notice.holder.empty()) state = tag("Taken by " + called(notice.holder), "");
    if (corrected) state = tag("Corrected", "orange");
    std::string whose = value.team.empty() ? "Duty desk" : value.team;
    if (value.worker && !value.worker->name.empty()) whose = value.worker->name;
    if (!notice.holder.empty()) whose = called(notice.holder);
    View view;
    view.text("child", name_or_unborn(value))
        .text("reference", value.reference)
        .list("tags", tags)
        .text("due_style", deadline.style)
        .text("due_at", deadline.at)
        .text("due_left", deadline.left)
        .text("category", value.category.empty() ? web::words::did_not_say : desk::printable(value.category))
        .text("occurred",
              value.occurred_us == 0 ? "" : web::capital(web::near(from_us(value.occurred_us), visit.now)))
        .text("whose", whose == visit.person.called ? "You" : desk::printable(whose))
        .list("state", {state});
    return view;
}

Response Pages::inbox(const Visit& visit) {
    std::string show = visit.request.parameter("show");
    if (show != "mine" && show != "duty") show = "all";
    const std::string page_asked = visit.request.parameter("page");
    std::vector<View> overdue, changed, to_do;
    for (const Notice& notice : open_ones(visit.person)) {
        if (!shown(visit, notice, show)) continue;
        const bool corrected = corrects(notice);
        auto& into = group_of(notice, corrected, visit.now) == Group::overdue   ? overdue
                     : group_of(notice, corrected, visit.now) == Group::changed ? changed
                                                                                : to_do;
        into.push_back(row(visit, notice, corrected));
    }
    const std::size_t all = overdue.size() + changed.size() + to_do.size(), late = overdue.size(),
                      waiting = to_do.size();
    const std::size_t pages = std::max<std::size_t>(1, (waiting + rows_a_page - 1) / rows_a_page);
    std::size_t number = 1;
    while (std::to_string(number) != page_asked && number < pages) ++number;
    if (std::to_string(number) != page_asked) number = 1;
    const std::size_t first = (number - 1) * rows_a_page, last = std::min(first + rows_a_page, waiting);
    to_do = {to_do.begin() + static_cast<std::ptrdiff_t>(first),
             to_do.begin() + static_cast<std::ptrdiff_t>(last)};
    const std::size_t more_overdue = late > overdue_shown_max ? late - overdue_shown_max : 0;
    if (number > 1) overdue.clear(), changed.clear();  // they stand on the first page, all of them
    if (overdue.size() > overdue_shown_max) overdue.erase(overdue.begin() + overdue_shown_max, overdue.end());

    std::vector<View> groups;
    const auto group = [&](const std::string& heading, std::size_t count, const std::vector<View>& rows) {
        if (rows.empty()) return;
        groups.push_back(View{}
                             .text("heading", heading + " (" + std::to_string(count) + ")")
                             .flag("head_shown", groups.empty())
                             .flag("head_hidden", !groups.empty())
                             .list("rows", rows));
    };
    group("Overdue", late, overdue);
    group("Changed after you were told", changed.size(), changed);
    group("To do", waiting, to_do);

    const std::string summary = std::to_string(all) + (all == 1 ? " notice needs" : " notices need") +
                                " something from you or your team. " + std::to_string(late) +
                                (late == 1 ? " is" : " are") + " overdue.";
    const std::string link = "/inbox?show=" + show + "&page=";
    Page page{"inbox", "Inbox"};
    page.view.text("summary", summary)
        .text("made_at", "This list was made at " + web::time_of_day(visit.now) + ".")
        .text("again", "/inbox?show=" + show)
        .flag("show_all", show == "all")
        .flag("show_mine", show == "mine")
        .flag("show_duty", show == "duty")
        .list("groups", groups)
        .flag("empty", all == 0)
        .text("empty_words", web::words::empty_inbox)
        .text("no_safety", web::words::no_safety)
        .maybe("more_overdue",
               more_overdue == 0 ? "" : "and " + std::to_string(more_overdue) + " more overdue")
        .flag("paged", pages > 1)
        .text("shown", "Showing " + std::to_string(first + 1) + " to " + std::to_string(last) + " of " +
                           std::to_string(waiting))
        .maybe("previous", number > 1 ? link + std::to_string(number - 1) : "")
        .maybe("next", number < pages ? link + std::to_string(number + 1) : "");
    if (visit.request.parameter("done") == "passed")
        page.success = "Passed on. It is in your colleague's inbox now.";
    page.section = "/inbox";
    page.section_itself = true;
    return site_.page(visit, page);
}

Response Pages::done(const Visit& visit) {
    std::vector<View> rows;
    const auto holders = journal_.holders();
    std::set<std::string> seen;
    for (auto& item : reader_.read([&](const client::Box& box) {
             return box.recorded_since(visit.now - done_kept, done_shown_max);
         })) {
        if (item.kind != schemas::Kind::social_care_notice) continue;
        const Notice notice = notice_from(std::move(item), holders);
        if (!may_see(visit.person, notice) || !seen.insert(notice.value.reference).second) continue;
        rows.push_back(View{}
                           .text("reference", notice.value.reference)
                           .text("recorded", web::capital(web::near(*notice.item.recorded, visit.now)))
                           .text("recorded_by", web::capital(who(visit, notice.item.recorded_by)))
                           .text("outcome", outcome_in_words(notice.item.outcome)));
    }
    Page page{"done", "Done"};
    page.view.flag("empty", rows.empty())
        .text("caption", "Recorded in the last 90 days (" + std::to_string(rows.size()) + ")")
        .list("rows", rows);
    page.section = "/done";
    page.section_itself = true;
    return site_.page(visit, page);
}

}  // namespace flagpost::social_care
