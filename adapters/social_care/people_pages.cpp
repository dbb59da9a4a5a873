#include "adapters/social_care/people_pages.h"

#include <algorithm>

#include "adapters/client/text.h"
#include "adapters/desk/fields.h"
#include "adapters/desk/words.h"
#include "adapters/social_care/pages.h"
#include "adapters/web/parts.h"
#include "adapters/web/settings.h"
#include "adapters/web/when.h"

namespace flagpost::social_care {
namespace {

using schemas::StaffDoes;
using web::Page;
using web::Person;
using web::Response;
using web::View;
using web::Visit;

const std::set<std::string> admins{"admin"};
const std::set<std::string> coverers{"worker", "duty", "manager", "admin"};
constexpr std::size_t name_size_max = 64, called_size_max = 100, teams_max = 20;

constexpr desk::CodeWords role_words[] = {
    {"worker",   "Worker: own notices and their teams'"                   },
    {"duty",     "Duty: every notice"                                     },
    {"manager",  "Manager: the notices of their teams, or all; hands over"},
    {"reviewer", "Reviewer: matches a person must look at, no notice"     },
    {"feeder",   "Feeder: the list of flags, no notice"                   },
    {"admin",    "Admin: who may sign in, no notice"                      },
};

bool acts_on_notices(const Person& person) { return person.role == "worker" || person.role == "duty"; }

bool is_good_name(const std::string& name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    };
    return !name.empty() && name.size() <= name_size_max && std::ranges::all_of(name, good) && name != "add";
}

std::string teams_in_words(const Person& person) {
    std::string words;
    for (const auto& team : person.teams) words += (words.empty() ? "" : ", ") + desk::printable(team);
    return words;
}

std::set<std::string> teams_of(const std::string& text) {
    std::set<std::string> teams;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        if (const auto team = client::trimmed(std::string_view{text}.substr(at, end - at)); !team.empty())
            teams.emplace(team);
        at = end + 1;
    }
    return teams;
}

/// What of a form's person is wrong; empty: nothing.
std::string fault_in(const Person& person) {
    if (person.called.empty() || person.called.size() > called_size_max ||
        client::has_broken_characters(person.called))
        return "Enter the name as your case system has it";
    if (!roles().contains(person.role)) return "Choose a role";
    if (person.teams.size() > teams_max) return "Enter at most " + std::to_string(teams_max) + " teams";
    for (const auto& team : person.teams)
        if (team.size() > called_size_max || client::has_broken_characters(team))
            return "Enter teams as your case system has them";
    return {};
}

std::vector<View> role_choices(const std::string& chosen) {
    std::vector<View> choices;
    for (const auto& [code, words] : role_words) {
        auto view = web::choice(std::string{code}, std::string{words}, choices.size());
        view.flag("chosen", chosen == code);
        choices.push_back(view);
    }
    return choices;
}

std::vector<View> options(const std::vector<Person>& people, const std::string& chosen) {
    std::vector<View> all;
    for (const Person& person : people)
        all.push_back(View{}
                          .text("option", person.name)
                          .text("option_words", desk::printable(person.called) + ", " + person.role)
                          .flag("option_chosen", person.name == chosen));
    return all;
}

std::string done_in_words(const std::string& done) {
    if (done == "changed") return "Changed. It counts from now on.";
    if (done == "suspended") return "Suspended. They are signed out, and cannot sign in.";
    if (done == "reinstated") return "They may sign in again.";
    if (done == "covered")
        return "Kept. The notices are in the inbox of who covers, for as long as you said.";
    if (done == "ended") return "The cover has ended.";
    return {};
}

}  // namespace

PeoplePages::PeoplePages(web::Site& site, web::Journal& journal, web::People& people, Random& random,
                         web::Handover& handover, AgencyId agency, OpenOf open_of)
    : site_{site},
      journal_{journal},
      people_{people},
      random_{random},
      handover_{handover},
      agency_{std::move(agency)},
      open_of_{std::move(open_of)} {
    site_.get("/users", admins, [this](const Visit& visit) { return list(visit); });
    site_.get("/users/add", admins, [this](const Visit& visit) { return ask_new(visit, {}); });
    site_.post("/users/add", admins, [this](const Visit& visit) { return add(visit); });
    site_.get("/users/{name}", admins, [this](const Visit& visit) { return show(visit, {}); });
    site_.post("/users/{name}/change", admins, [this](const Visit& visit) { return change(visit); });
    site_.post("/users/{name}/suspend", admins, [this](const Visit& visit) { return suspend(visit); });
    site_.post("/users/{name}/reinstate", admins, [this](const Visit& visit) { return reinstate(visit); });
    site_.post("/users/{name}/renew", admins, [this](const Visit& visit) { return renew(visit); });
    site_.get("/cover", coverers, [this](const Visit& visit) { return cover(visit, {}); });
    site_.post("/cover/set", coverers, [this](const Visit& visit) { return set_cover(visit); });
    site_.post("/cover/end", coverers, [this](const Visit& visit) { return end_cover(visit); });
}

std::optional<Person> PeoplePages::find(const std::string& name) {
    for (auto& person : people_.everybody())
        if (person.name == name) return std::move(person);
    return std::nullopt;
}

bool PeoplePages::keep(const Visit& visit, StaffDoes does, const Person& person, const std::string& cover) {
    const web::StaffChange change{does, visit.person.called, person, cover};
    return handover_.carry_out([this, change, now = visit.now](client::Box& box) {
        web::change_staff(box, agency_, change, now, [&] { people_.put(change.about); });
    });
}

void PeoplePages::note(const Visit& visit, const std::string& whom, const std::string& what,
                       const std::string& detail) {
    journal_.note({"users/" + whom, what, visit.person.name, visit.person.called, detail, visit.now});
}

// --- people

Response PeoplePages::list(const Visit& visit) {
    const std::string today = desk::local_day(visit.now);
    std::vector<View> rows;
    for (const Person& person : people_.everybody()) {
        const auto last = site_.last_signed_in(person.name);
        std::string cover = "Nobody";
        if (person.cover && person.cover->until >= today) {
            const auto by = find(person.cover->by);
            cover = (by ? desk::printable(by->called) : person.cover->by) + ", until " +
                    web::day_of_date(person.cover->until, visit.now);
        }
        rows.push_back(View{}
                           .text("user_path", "/users/" + person.name)
                           .text("user_called", desk::printable(person.called))
                           .text("user_name", person.name)
                           .flag("user_suspended", person.suspended)
                           .text("user_role", web::capital(site_.role_in_words(person.role)))
                           .text("user_teams", teams_in_words(person))
                           .text("user_last", last ? web::capital(web::near(*last, visit.now)) : "Never")
                           .text("user_cover", cover));
    }
    Page page{"users", "People"};
    page.section = "/users";
    page.section_itself = true;
    page.view.text("users_caption", "Who may sign in (" + std::to_string(rows.size()) + ")")
        .list("users", rows);
    return site_.page(visit, page);
}

Response PeoplePages::ask_new(const Visit& visit, const std::string& error) {
    Page page{"user-add", error.empty() ? "Add somebody" : "Error: Add somebody"};
    page.section = "/users";
    page.back_href = "/users";
    page.back_text = "People";
    page.status = error.empty() ? 200 : 422;
    page.view.maybe("error", error)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .text("name", visit.request.field("name").substr(0, name_size_max))
        .text("called", visit.request.field("called").substr(0, called_size_max))
        .text("teams", visit.request.field("teams").substr(0, 500))
        .list("choices", role_choices(visit.request.field("role")));
    return site_.page(visit, page);
}

Response PeoplePages::add(const Visit& visit) {
    Person person;
    person.name = client::trimmed(visit.request.field("name"));
    person.called = client::trimmed(visit.request.field("called"));
    person.role = visit.request.field("role");
    person.teams = teams_of(visit.request.field("teams"));
    if (!is_good_name(person.name))
        return ask_new(visit, "Enter a name to sign in with: small letters, digits, dots and hyphens");
    if (find(person.name)) return ask_new(visit, "Somebody has that name already: choose another");
    if (const auto fault = fault_in(person); !fault.empty()) return ask_new(visit, fault);
    const std::string password = web::make_password(random_);
    person.password = web::hash_password(password, random_);
    person.one_time = true;
    person.code_secret = web::make_code_secret(random_);
    if (!keep(visit, StaffDoes::added, person)) return site_.problem(&visit);
    note(visit, person.name, "added", person.role);
    return say_secrets(visit, person, password);
}

Response PeoplePages::say_secrets(const Visit& visit, const Person& person, const std::string& password) {
    Page page{"user-secrets", "Hand these over"};
    page.section = "/users";
    page.back_href = "/users";
    page.back_text = "People";
    page.view.text("called", desk::printable(person.called))
        .text("name", person.name)
        .maybe("password", password)
        .text("code_secret", person.code_secret)
        .text("code_link", "otpauth://totp/Flagpost:" + person.name + "?secret=" + person.code_secret +
                               "&issuer=Flagpost");
    return site_.page(visit, page);
}

tl::expected<Person, Response> PeoplePages::other(const Visit& visit) {
    auto person = find(visit.part("name"));
    if (!person) return tl::unexpected{site_.not_found(visit)};
    if (person->name == visit.person.name)
        return tl::unexpected{
            site_.message(visit, 409, "Somebody else has to change this",
                          "Nobody changes their own role, second step or access. Nothing was "
                          "changed. Another person with your role can do it.")};
    return std::move(*person);
}

std::vector<Person> PeoplePages::who_may_take(const Person& leaver) {
    auto all = people_.all();
    std::erase_if(
        all, [&](const Person& person) { return person.name == leaver.name || !acts_on_notices(person); });
    return all;
}

Response PeoplePages::show(const Visit& visit, const std::string& error) {
    const auto person = find(visit.part("name"));
    if (!person) return site_.not_found(visit);
    const bool failed = !error.empty();
    const bool own = person->name == visit.person.name;
    const auto open = open_of_(*person).size();
    const bool changing = visit.request.path.ends_with("/change");
    Page page{"user", (failed ? "Error: " : "") + std::string{"A person"}};
    page.section = "/users";
    page.back_href = "/users";
    page.back_text = "People";
    page.status = failed ? 422 : 200;
    page.success = done_in_words(visit.request.parameter("done"));
    page.view.maybe("error", error)
        .text("error_at", changing ? "#called" : "#taker")
        .text("path", "/users/" + person->name)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .text("name", person->name)
        .text("heading", desk::printable(person->called))
        .text("called", changing ? visit.request.field("called").substr(0, called_size_max) : person->called)
        .text("teams", changing ? visit.request.field("teams").substr(0, 500) : teams_in_words(*person))
        .flag("own", own)
        .flag("suspended", person->suspended)
        .flag("may_change", !own && !person->suspended)
        .flag("has_open", open > 0)
        .text("open_words", desk::printable(person->called) + " has " + std::to_string(open) +
                                (open == 1 ? " open notice." : " open notices.") + " Who takes " +
                                (open == 1 ? "it?" : "them?"))
        .list("takers", options(who_may_take(*person), visit.request.field("taker")))
        .list("choices", role_choices(changing ? visit.request.field("role") : person->role));
    return site_.page(visit, page);
}

Response PeoplePages::change(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    const std::string before = person->role;
    person->called = client::trimmed(visit.request.field("called"));
    person->role = visit.request.field("role");
    person->teams = teams_of(visit.request.field("teams"));
    if (const auto fault = fault_in(*person); !fault.empty()) return show(visit, fault);
    if (!keep(visit, StaffDoes::changed, *person)) return site_.problem(&visit);
    // What an older role showed must not stay open in a browser.
    if (person->role != before) site_.end_sessions_of(person->name);
    note(visit, person->name, "changed", before + " to " + person->role);
    return web::redirect("/users/" + person->name + "?done=changed");
}

Response PeoplePages::suspend(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    const auto open = open_of_(*person);
    const auto takers = who_may_take(*person);
    const auto taker = std::ranges::find(takers, visit.request.field("taker"), &Person::name);
    if (!open.empty() && taker == takers.end())
        return show(visit, "Choose who takes the open notices: nobody would act on them");
    person->suspended = true;
    if (!keep(visit, StaffDoes::suspended, *person)) return site_.problem(&visit);
    for (const auto& reference : open)
        journal_.note({reference, "passed", visit.person.name, visit.person.called, taker->name, visit.now});
    site_.end_sessions_of(person->name);
    note(visit, person->name, "suspended", std::to_string(open.size()) + " notices passed on");
    return web::redirect("/users/" + person->name + "?done=suspended");
}

Response PeoplePages::reinstate(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    person->suspended = false;
    if (!keep(visit, StaffDoes::reinstated, *person)) return site_.problem(&visit);
    note(visit, person->name, "reinstated");
    return web::redirect("/users/" + person->name + "?done=reinstated");
}

Response PeoplePages::renew(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    person->code_secret = web::make_code_secret(random_);
    if (!keep(visit, StaffDoes::renewed, *person)) return site_.problem(&visit);
    site_.end_sessions_of(person->name);
    note(visit, person->name, "renewed");
    return say_secrets(visit, *person, {});
}

// --- cover

std::vector<Person> PeoplePages::whose_cover(const Person& visitor) {
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

Response PeoplePages::cover(const Visit& visit, const std::string& error) {
    const std::string today = desk::local_day(visit.now);
    std::vector<View> rows;
    const auto theirs = whose_cover(visit.person);
    for (const Person& person : theirs) {
        if (!person.cover || person.cover->until < today) continue;
        const auto by = find(person.cover->by);
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
        .list("absentees", options(theirs, who.empty() ? visit.person.name : who))
        .list("coverers", options(coverers_of, visit.request.field("by")));
    return site_.page(visit, page);
}

Response PeoplePages::set_cover(const Visit& visit) {
    const auto theirs = whose_cover(visit.person);
    const auto away = std::ranges::find(theirs, visit.request.field("away"), &Person::name);
    if (away == theirs.end()) return cover(visit, "Choose who is away");
    const auto by = find(visit.request.field("by"));
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

Response PeoplePages::end_cover(const Visit& visit) {
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
