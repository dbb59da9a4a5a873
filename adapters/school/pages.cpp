#include "adapters/school/pages.h"

#include <algorithm>

#include "adapters/desk/kept_from.h"
#include "adapters/desk/recall.h"
#include "adapters/desk/words.h"
#include "adapters/school/contacts.h"
#include "adapters/school/notice_text.h"
#include "adapters/school/notify.h"
#include "adapters/web/words.h"
#include "school_templates.h"

namespace flagpost::school {
namespace {

using web::Group;
using web::Person;
using web::Response;
using web::Visit;

const std::set<std::string> readers{"dsl", "deputy", "lead"};
constexpr std::size_t schools_listed_max = 60;  // in the filter; a larger trust sees them in the column

bool corrects(const Notice& notice) { return notice.value->incident_version > 1; }

/// The far future where nothing is said. Of what was read already: reading it anew for each comparison takes a second.
Instant due(const Notice& notice) {
    return notice.value->read_by_us == 0 ? Instant::max() : from_us(notice.value->read_by_us);
}

std::string urn_of(const Notice& notice) { return std::to_string(notice.value->urn); }

}  // namespace

const std::set<std::string>& roles() {
    static const std::set<std::string> all{"dsl", "deputy", "lead", "admin"};
    return all;
}

const std::map<std::string, std::string>& role_words() {
    static const std::map<std::string, std::string> words{
        {"dsl",  "DSL"              },
        {"lead", "safeguarding lead"}
    };
    return words;
}

std::optional<std::set<std::string>> schools_of(const Person& person, const AgencyId& agency) {
    if (agency.kind() == "school") return std::set{std::string{agency.code()}};
    if (agency.kind() == "education" && person.teams.empty()) return std::nullopt;
    return person.teams;
}

bool may_see(const Person& person, const AgencyId& agency, const Notice& notice) {
    if (!readers.contains(person.role)) return false;
    if (desk::is_kept_from(notice.kept_from, person.called, person.name)) return false;
    const auto schools = schools_of(person, agency);
    return !schools || schools->contains(urn_of(notice)) || notice.holder == person.name;
}

bool is_intended(const Person& person, const AgencyId& agency, const Notice& notice) {
    if (!may_see(person, agency, notice)) return false;
    return person.role != "lead" || agency.kind() == "education" || notice.holder == person.name ||
           notice.value->addressed_to == person.called || notice.contacts.contains(person.called);
}

Group group_of(const Notice& notice, Instant now) {
    if (!notice.item.opened && due(notice) <= now) return Group::overdue;
    return corrects(notice) ? Group::changed : Group::to_do;
}

Pages::Pages(web::Site& site, web::Reader& reader, web::Handover& handover, web::Journal& journal,
             web::People& people, AgencyId agency)
    : site_{site},
      reader_{reader},
      handover_{handover},
      journal_{journal},
      people_{people},
      work_{site, reader, handover, journal, people},
      agency_{std::move(agency)},
      open_{reader, journal, schemas::Kind::school_notice} {
    site_.templates().add_all(page_templates);
    site_.set_connection([&handover] { return handover.connection(); });
    site_.set_navigation([this](const Person& person, Instant) {
        if (person.role == "admin")
            return std::vector<web::NavigationItem>{
                {"/users", "People"}
            };
        std::size_t open = open_ones(person).theirs.size();
        for (const auto& recall : work_.open_recalls()) open += may_see_recall(person, recall) ? 1 : 0;
        std::vector<web::NavigationItem> items;
        items.push_back({"/inbox", "Inbox (" + std::to_string(open) + ")"});
        items.push_back({"/done", "Done"});
        if (!schools_with_contacts(person).empty()) items.push_back({"/contacts", "Contacts"});
        return items;
    });
    site_.get("/inbox", readers, [this](const Visit& visit) { return inbox(visit); });
    site_.get("/contacts", readers, [this](const Visit& visit) { return contacts(visit); });
    site_.post("/contacts/{urn}/confirm", readers, [this](const Visit& visit) { return confirm(visit); });
    site_.get("/done", readers, [this](const Visit& visit) { return done(visit); });
    site_.get("/notices/{ref}", readers, [this](const Visit& visit) { return notice(visit, false); });
    site_.get("/notices/{ref}/print", readers, [this](const Visit& visit) { return notice(visit, true); });
    site_.post("/notices/{ref}/record", readers, [this](const Visit& visit) { return record(visit); });
    site_.post("/notices/{ref}/take", readers, [this](const Visit& visit) { return take(visit); });
    site_.get("/notices/{ref}/pass", readers,
              [this](const Visit& visit) { return ask_colleague(visit, {}); });
    site_.post("/notices/{ref}/pass", readers, [this](const Visit& visit) { return pass(visit); });
    site_.get("/notices/{ref}/change", readers, [this](const Visit& visit) { return change(visit, false); });
    site_.post("/notices/{ref}/change", readers, [this](const Visit& visit) { return change(visit, true); });
    site_.get("/notices/{ref}/not-on-roll", readers,
              [this](const Visit& visit) { return ask_why_not(visit, {}); });
    site_.post("/notices/{ref}/not-on-roll", readers,
               [this](const Visit& visit) { return not_on_roll(visit); });
}

Notice Pages::notice_from(client::Incoming item, const web::Beside& known) const {
    Notice notice{};
    notice.item = std::move(item);
    notice.value = std::make_shared<const schemas::SchoolNoticeValue>(notice_of(notice.item));
    web::add_beside(notice, known);
    return notice;
}

Pages::Open::Some Pages::open_ones(const Person& person) {
    auto ones = open_.those([&](const Notice& notice) { return may_see(person, agency_, notice); });
    std::ranges::stable_sort(ones.theirs, {}, [](const Notice* notice) {
        return std::pair{notice->item.opened.has_value(), due(*notice)};
    });
    return ones;
}

std::vector<std::string> Pages::open_of(const Person& person) {
    std::vector<std::string> references;
    for (const auto ones = open_ones(person); const Notice* notice : ones.theirs) {
        const auto& addressed_to = notice->value->addressed_to;
        if (notice->holder.empty() ? addressed_to == person.called : notice->holder == person.name)
            references.push_back(notice->value->reference);
    }
    return references;
}

std::optional<Notice> Pages::stored(const std::string& reference) {
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    if (!item || item->kind != schemas::Kind::school_notice) return std::nullopt;
    Notice notice = notice_from(std::move(*item), web::beside(reader_, journal_));
    if (agency_.kind() != "trust") return notice;
    const auto urn = notice.value->urn;
    for (auto& each : reader_.read([&](const client::Box& box) { return kept_contacts(box, urn); }))
        notice.contacts.insert(std::move(each.name));
    return notice;
}

std::optional<Notice> Pages::find(const Person& person, const std::string& reference) {
    auto notice = stored(reference);
    if (!notice || notice->value->reference != reference || !may_see(person, agency_, *notice))
        return std::nullopt;
    if (work_.recall_of(notice->item)) return std::nullopt;  // what it says is not shown again
    return notice;
}

std::optional<Notice> Pages::taken_back_by(const client::Incoming& recall) {
    return stored(desk::recall_of(recall).recalled_reference);
}

// What never came here is for those whose mailbox it is: "notices/school/122802".
bool Pages::may_see_recall(const Person& person, const client::Incoming& recall) {
    if (const auto notice = taken_back_by(recall)) return may_see(person, agency_, *notice);
    if (!readers.contains(person.role)) return false;
    const auto schools = schools_of(person, agency_);
    return !schools || schools->contains(recall.topic.substr(recall.topic.rfind('/') + 1));
}

bool Pages::may_act_on_recall(const Person& person, const client::Incoming& recall) {
    if (const auto notice = taken_back_by(recall)) return is_intended(person, agency_, *notice);
    return may_see_recall(person, recall) && (person.role != "lead" || agency_.kind() == "education");
}

std::optional<client::Incoming> Pages::find_recall(const Person& person, const std::string& reference) {
    auto item = reader_.read([&](const client::Box& box) { return box.find(reference); });
    if (item && item->kind == schemas::Kind::school_notice) item = work_.recall_of(*item);
    if (!item || item->kind != schemas::Kind::recall || !may_see_recall(person, *item)) return std::nullopt;
    return item;
}

std::optional<Notice> Pages::before(const Notice& notice) {
    if (!corrects(notice)) return std::nullopt;
    const auto& value = *notice.value;
    std::optional<Notice> found;
    for (auto& item : reader_.read([&](const client::Box& box) {
             return box.holding(schemas::Kind::school_notice, value.incident_reference);
         })) {
        if (work_.recall_of(item)) continue;
        Notice other = notice_from(std::move(item), {});
        const auto& earlier = *other.value;
        const bool same_thing = earlier.force == value.force && earlier.urn == value.urn &&
                                earlier.incident_reference == value.incident_reference &&
                                earlier.child_given_names == value.child_given_names &&
                                earlier.child_family_name == value.child_family_name &&
                                earlier.child_date_of_birth == value.child_date_of_birth;
        if (same_thing && earlier.incident_version < value.incident_version &&
            (!found || earlier.incident_version > found->value->incident_version))
            found = std::move(other);
    }
    return found;
}

// --- lists

bool Pages::sees_several(const Person& person) const {
    const auto schools = schools_of(person, agency_);
    return !schools || schools->size() > 1;
}

web::InboxKind Pages::kind_of(const Person& person, const std::vector<const Notice*>& notices) const {
    web::InboxKind kind;
    kind.due_head = "Read by";
    kind.what_head = "When it happened";
    kind.whose_head = "For";
    kind.needs = "something from you or a colleague";
    if (!sees_several(person)) return kind;
    kind.whose_head = "School";
    std::map<std::string, std::string> names;
    for (const auto& urn : schools_of(person, agency_).value_or(std::set<std::string>{}))
        names.emplace(urn, "URN " + urn);
    for (const Notice* notice : notices)
        if (!notice->value->school_name.empty())
            names.insert_or_assign(urn_of(*notice), desk::printable(notice->value->school_name));
    if (names.size() > schools_listed_max) return kind;
    kind.show.emplace_back("all", "All my schools");
    kind.show.insert(kind.show.end(), names.begin(), names.end());
    return kind;
}

web::InboxRow Pages::row(const Visit& visit, const Notice& notice) {
    const auto& value = *notice.value;
    web::InboxRow row;
    row.group = group_of(notice, visit.now);
    row.child = name_of(value);
    row.reference = value.reference;
    row.due.at = "As soon as you can";
    row.what = web::words::did_not_say;
    if (notice.item.opened)
        row.due = {"Read", web::near(*notice.item.opened, visit.now), "fp-due", false};
    else if (value.read_by_us != 0)
        row.due = web::due_of(from_us(value.read_by_us), visit.now);
    if (value.occurred_us != 0) row.what = web::capital(web::near(from_us(value.occurred_us), visit.now));
    row.state =
        notice.item.opened ? web::tag("Opened", "") : web::tag("Not opened", row.due.late ? "red" : "grey");
    if (!notice.holder.empty()) row.state = web::tag("Taken by " + work_.called(notice.holder), "");
    if (corrects(notice)) row.state = web::tag("Corrected", "orange");
    std::string whose = notice.holder.empty() ? value.addressed_to : work_.called(notice.holder);
    if (whose == visit.person.called) whose = "You";
    if (whose.empty()) whose = "The DSL";
    if (sees_several(visit.person))
        whose = value.school_name.empty() ? "URN " + urn_of(notice) : value.school_name;
    row.whose = desk::printable(whose);
    return row;
}

Response Pages::inbox(const Visit& visit) {
    const auto ones = open_ones(visit.person);
    auto kind = kind_of(visit.person, ones.theirs);
    const auto pings = reader_.read([](const client::Box& box) { return ping_state(box); });
    if (const auto words = failure_in_words(pings); !words.empty()) kind.notes.push_back(words);
    for (const auto urn : schools_with_contacts(visit.person)) {
        const auto list = reader_.read([&](const client::Box& box) { return kept_contacts(box, urn); });
        const auto words = list.empty() ? std::string{}
                                        : wanting(list, visit.now);  // the authority's own list may name them
        if (!words.empty() && visit.person.role != "lead") kind.notes.push_back(words);
    }
    if (!sees_several(visit.person))
        for (const auto urn : schools_with_contacts(visit.person))
            if (const auto words = closed_in_words(
                    reader_.read([&](const client::Box& box) { return kept_terms(box, urn); }), visit.now);
                !words.empty())
                kind.notes.push_back(words);
    const std::string show = web::shown_of(visit, kind);
    std::vector<web::InboxLine> lines;
    for (const Notice* notice : ones.theirs)
        if (show == "all" || show == urn_of(*notice))
            lines.push_back(
                {group_of(*notice, visit.now), [this, &visit, notice] { return row(visit, *notice); }});
    for (const auto& recall : work_.open_recalls())
        if (may_see_recall(visit.person, recall))
            lines.push_back(web::line_of(work_.recall_row(visit, recall)));
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
        if (item.kind != schemas::Kind::school_notice || work_.recall_of(item)) continue;
        const Notice notice = notice_from(std::move(item), known);
        if (!may_see(visit.person, agency_, notice) || !seen.insert(notice.value->reference).second) continue;
        const std::string place = sees_several(visit.person) ? school_in_words(*notice.value) : "";
        rows.push_back(work_.done_row(visit, notice.value->reference, place, notice.item, outcome_codes));
    }
    return site_.page(visit, work_.done_page(rows));
}

}  // namespace flagpost::school
