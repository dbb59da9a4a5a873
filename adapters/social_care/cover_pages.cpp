#include "adapters/social_care/cover_pages.h"

#include <algorithm>

#include "adapters/desk/fields.h"
#include "adapters/desk/words.h"
#include "adapters/web/people_pages.h"
#include "adapters/web/when.h"

namespace flagpost::social_care {
namespace {

using schemas::StaffDoes;
using web::Page;
using web::Person;
using web::Response;
using web::View;
using web::Visit;

const std::set<std::string> coverers{"worker", "duty", "manager", "admin"};

bool acts_on_notices(const Person& person) { return person.role == "worker" || person.role == "duty"; }

std::string done_in_words(const std::string& done) {
    if (done == "covered")
        return "Kept. The notices are in the inbox of who covers, for as long as you said.";
    if (done == "ended") return "The cover has ended.";
    return {};
}

}  // namespace

CoverPages::CoverPages(web::Site& site, web::Journal& journal, web::People& people, web::Handover& handover,
                       AgencyId agency)
    : site_{site}, journal_{journal}, people_{people}, handover_{handover}, agency_{std::move(agency)} {
    site_.get("/cover", coverers, [this](const Visit& visit) { return cover(visit, {}); });
    site_.post("/cover/set", coverers, [this](const Visit& visit) { return set_cover(visit); });
    site_.post("/cover/end", coverers, [this](const Visit& visit) { return end_cover(visit); });
}

bool CoverPages::keep(const Visit& visit, StaffDoes does, const Person& person, const std::string& cover) {
    return web::keep_person(handover_, people_, agency_, {does, visit.person.called, person, cover},
                            visit.now);
}

void CoverPages::note(const Visit& visit, const std::string& whom, const std::string& what,
                      const std::string& detail) {
    journal_.note({"users/" + whom, what, visit.person.name, visit.person.called, detail, visit.now});
}

std::vector<Person> CoverPages::whose_cover(const Person& visitor) {
    auto all = people_.all();
    std::erase_if(all, [&](const Person& person) {
        if (!acts_on_notices(person) && person.role != "manager") return true;
        if (visitor.role == "admin" || person.name == visitor.name) return false;
        if (visitor.role != "manager") return true;
        return !visitor.teams.empty() && std::ranges::none_of(person.teams, [&](const auto& team) {
            return visitor.teams.contains(team);
        });
    });
    return all;
}

Response CoverPages::cover(const Visit& visit, const std::string& error) {
    const std::string today = desk::local_day(visit.now);
    std::vector<View> rows;
    const auto theirs = whose_cover(visit.person);
    for (const Person& person : theirs) {
        if (!person.cover || person.cover->until < today) continue;
        const auto by = web::find_person(people_, person.cover->by);
        rows.push_back(View{}
                           .text("away", desk::printable(person.called))
                           .text("away_name", person.name)
                           .text("covered_by", by ? desk::printable(by->called) : person.cover->by)
                           .flag("by_suspended", !by || by->suspended)
                           .text("from", web::capital(web::day_of_date(person.cover->from, visit.now)))
                           .text("until", web::capital(web::day_of_date(person.cover->until, visit.now)))
                           .text("end_token", site_.token(visit.session)));
    }
    auto coverers_of = people_.all();
    std::erase_if(coverers_of,
                  [](const Person& person) { return !acts_on_notices(person) && person.role != "manager"; });
    Page page{"cover", error.empty() ? "Cover" : "Error: Cover"};
    page.section = "/cover";
    page.section_itself = true;
    page.status = error.empty() ? 200 : 422;
    page.success = done_in_words(visit.request.parameter("done"));
    const std::string who = visit.request.field("away");
    page.view.maybe("error", error)
        .flag("nobody_away", rows.empty())
        .text("cover_caption", "Who is covered (" + std::to_string(rows.size()) + ")")
        .list("covers", rows)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .text("today", today)
        .text("first_day", visit.request.field("from").substr(0, 10))
        .text("last_day", visit.request.field("until").substr(0, 10))
        .list("absentees", web::people_options(site_, theirs, who.empty() ? visit.person.name : who))
        .list("coverers", web::people_options(site_, coverers_of, visit.request.field("by")));
    return site_.page(visit, page);
}

Response CoverPages::set_cover(const Visit& visit) {
    const auto theirs = whose_cover(visit.person);
    const auto away = std::ranges::find(theirs, visit.request.field("away"), &Person::name);
    if (away == theirs.end()) return cover(visit, "Choose who is away");
    const auto by = web::find_person(people_, visit.request.field("by"));
    if (!by || by->suspended || (!acts_on_notices(*by) && by->role != "manager"))
        return cover(visit, "Choose who covers");
    if (by->name == away->name) return cover(visit, "Somebody else has to cover: choose another");
    const std::string from = visit.request.field("from"), until = visit.request.field("until");
    if (!desk::is_date(from) || !desk::is_date(until))
        return cover(visit, "Enter the first and the last day");
    if (until < from) return cover(visit, "The last day must not be before the first");
    if (until < desk::local_day(visit.now)) return cover(visit, "The last day must not be over");
    if (until > desk::local_day(visit.now + std::chrono::hours{24 * cover_days_max}))
        return cover(visit, "The last day must be within a year");
    Person covered = *away;
    covered.cover = web::Cover{by->name, from, until};
    if (!keep(visit, StaffDoes::covered, covered, by->called)) return site_.problem(&visit);
    note(visit, covered.name, "covered", by->name + " from " + from + " until " + until);
    return web::redirect("/cover?done=covered");
}

Response CoverPages::end_cover(const Visit& visit) {
    const auto theirs = whose_cover(visit.person);
    const auto away = std::ranges::find(theirs, visit.request.field("away"), &Person::name);
    if (away == theirs.end()) return site_.not_found(visit);
    Person covered = *away;
    covered.cover.reset();
    if (!keep(visit, StaffDoes::uncovered, covered)) return site_.problem(&visit);
    note(visit, covered.name, "cover ended");
    return web::redirect("/cover?done=ended");
}

}  // namespace flagpost::social_care
