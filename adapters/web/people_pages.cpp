#include "adapters/web/people_pages.h"

#include <algorithm>

#include "adapters/client/text.h"
#include "adapters/desk/fields.h"
#include "adapters/desk/words.h"
#include "adapters/web/parts.h"
#include "adapters/web/settings.h"
#include "adapters/web/when.h"
#include "broker/core/limits.h"

namespace flagpost::web {
namespace {

using schemas::StaffDoes;

const std::set<std::string> admins{"admin"};
constexpr std::size_t name_size_max = 64, called_length_max = 100, groups_max = 500;

/// In letters of whatever script; in bytes the broker's log has a limit too.
bool is_too_long(const std::string& text) {
    return client::characters_in(text) > called_length_max || text.size() > limits::person_name_size_max;
}

bool is_good_name(const std::string& name) {
    const auto good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
    };
    return !name.empty() && name.size() <= name_size_max && std::ranges::all_of(name, good) && name != "add";
}

std::string groups_in_words(const Person& person) {
    std::string words;
    for (const auto& group : person.teams) words += (words.empty() ? "" : ", ") + desk::printable(group);
    return words;
}

std::set<std::string> groups_of(const std::string& text) {
    std::set<std::string> groups;
    for (std::size_t at = 0; at <= text.size();) {
        const auto end = std::min(text.find(',', at), text.size());
        if (const auto group = client::trimmed(std::string_view{text}.substr(at, end - at)); !group.empty())
            groups.emplace(group);
        at = end + 1;
    }
    return groups;
}

std::string done_in_words(const std::string& done) {
    if (done == "changed") return "Changed. It counts from now on.";
    if (done == "suspended") return "Suspended. They are signed out, and cannot sign in.";
    if (done == "reinstated") return "They may sign in again.";
    return {};
}

}  // namespace

std::optional<Person> find_person(People& people, const std::string& name) {
    for (auto& person : people.everybody())
        if (person.name == name) return std::move(person);
    return std::nullopt;
}

std::vector<View> people_options(const Site& site, const std::vector<Person>& people,
                                 const std::string& chosen) {
    std::vector<View> all;
    for (const Person& person : people)
        all.push_back(
            View{}
                .text("option", person.name)
                .text("option_words", desk::printable(person.called) + ", " + site.role_in_words(person.role))
                .flag("option_chosen", person.name == chosen));
    return all;
}

PeoplePages::PeoplePages(Site& site, Journal& journal, People& people, Random& random, Handover& handover,
                         AgencyId agency, StaffKind kind)
    : site_{site},
      journal_{journal},
      people_{people},
      random_{random},
      handover_{handover},
      agency_{std::move(agency)},
      kind_{std::move(kind)} {
    site_.get("/users", admins, [this](const Visit& visit) { return list(visit); });
    site_.get("/users/add", admins, [this](const Visit& visit) { return ask_new(visit, {}); });
    site_.post("/users/add", admins, [this](const Visit& visit) { return add(visit); });
    site_.get("/users/{name}", admins, [this](const Visit& visit) { return show(visit, {}); });
    site_.post("/users/{name}/change", admins, [this](const Visit& visit) { return change(visit); });
    site_.post("/users/{name}/suspend", admins, [this](const Visit& visit) { return suspend(visit); });
    site_.post("/users/{name}/reinstate", admins, [this](const Visit& visit) { return reinstate(visit); });
    site_.post("/users/{name}/password", admins,
               [this](const Visit& visit) { return renew_password(visit); });
    site_.post("/users/{name}/renew", admins, [this](const Visit& visit) { return renew(visit); });
}

bool PeoplePages::keep(const Visit& visit, StaffDoes does, const Person& person) {
    return keep_person(handover_, people_, agency_, {does, visit.person.called, person}, visit.now);
}

/// What of a form's person is wrong; empty: nothing.
std::string PeoplePages::fault_in(const Person& person) const {
    if (person.called.empty() || client::has_broken_characters(person.called))
        return "Enter the name " + kind_.called_as;
    if (is_too_long(person.called))
        return "Enter the name " + kind_.called_as + " in at most " + std::to_string(called_length_max) +
               " letters";
    const bool known =
        std::ranges::any_of(kind_.roles, [&](const auto& each) { return each.code == person.role; });
    if (!known) return "Choose a role";
    if (person.teams.size() > groups_max)
        return "Enter at most " + std::to_string(groups_max) + " " + kind_.groups;
    for (const auto& group : person.teams)
        if (is_too_long(group) || client::has_broken_characters(group))
            return "Enter the " + kind_.groups + " with commas between, each in at most " +
                   std::to_string(called_length_max) + " letters";
    return kind_.fault ? kind_.fault(person) : std::string{};
}

std::vector<View> PeoplePages::role_choices(const std::string& chosen) const {
    std::vector<View> choices;
    for (const auto& [code, words] : kind_.roles) {
        choices.push_back(choice(code, words, choices.size(), chosen == code));
    }
    return choices;
}

View PeoplePages::words() const {
    return View{}
        .text("called_words", "Name " + kind_.called_as)
        .maybe("called_hint", kind_.called_hint)
        .maybe("groups", capital(kind_.groups))
        .text("groups_hint", kind_.groups_hint)
        .flag("covered", kind_.covered);
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
            const auto by = find_person(people_, person.cover->by);
            cover = (by ? desk::printable(by->called) : person.cover->by) + ", until " +
                    day_of_date(person.cover->until, visit.now);
        }
        rows.push_back(View{}
                           .text("user_path", "/users/" + person.name)
                           .text("user_called", desk::printable(person.called))
                           .text("user_name", person.name)
                           .flag("user_suspended", person.suspended)
                           .text("user_role", capital(site_.role_in_words(person.role)))
                           .text("user_teams", person.teams.empty() ? "None" : groups_in_words(person))
                           .text("user_last", last ? capital(near(*last, visit.now)) : "Never")
                           .text("user_cover", cover)
                           .text("groups_head", capital(kind_.groups))
                           .flag("has_groups_here", !kind_.groups.empty())
                           .flag("covered_here", kind_.covered));
    }
    Page page{"users", "People"};
    page.section = "/users";
    page.section_itself = true;
    page.view.merge(words())
        .text("users_caption", "Who may sign in (" + std::to_string(rows.size()) + ")")
        .list("users", rows);
    return site_.page(visit, page);
}

Response PeoplePages::ask_new(const Visit& visit, const std::string& error) {
    Page page{"user-add", error.empty() ? "Add somebody" : "Error: Add somebody"};
    page.section = "/users";
    page.back_href = "/users";
    page.back_text = "People";
    page.status = error.empty() ? 200 : 422;
    page.view.merge(words())
        .maybe("error", error)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .text("name", visit.request.field("name"))
        .text("called", visit.request.field("called"))
        .text("teams", visit.request.field("teams"))
        .list("choices", role_choices(visit.request.field("role")));
    return site_.page(visit, page);
}

Response PeoplePages::add(const Visit& visit) {
    Person person;
    person.name = client::trimmed(visit.request.field("name"));
    person.called = client::trimmed(visit.request.field("called"));
    person.role = visit.request.field("role");
    person.teams = groups_of(visit.request.field("teams"));
    if (!is_good_name(person.name))
        return ask_new(visit, "Enter a name to sign in with: at most " + std::to_string(name_size_max) +
                                  " small letters, digits, dots and hyphens");
    if (find_person(people_, person.name))
        return ask_new(visit, "Somebody has that name already: choose another");
    if (const auto fault = fault_in(person); !fault.empty()) return ask_new(visit, fault);
    const std::string password = make_password(random_);
    person.password = hash_password(password, random_);
    person.one_time = true;
    person.code_secret = make_code_secret(random_);
    if (!keep(visit, StaffDoes::added, person)) return site_.problem(&visit);
    note(visit, person.name, "added", person.role);
    return say_secrets(visit, person, password, person.code_secret);
}

Response PeoplePages::say_secrets(const Visit& visit, const Person& person, const std::string& password,
                                  const std::string& code_secret) {
    Page page{"user-secrets", "Hand these over"};
    page.section = "/users";
    page.back_href = "/users";
    page.back_text = "People";
    page.view.text("called", desk::printable(person.called))
        .text("name", person.name)
        .maybe("password", password)
        .maybe("code_secret", code_secret)
        .text("code_link",
              "otpauth://totp/Flagpost:" + person.name + "?secret=" + code_secret + "&issuer=Flagpost");
    return site_.page(visit, page);
}

tl::expected<Person, Response> PeoplePages::other(const Visit& visit) {
    auto person = find_person(people_, visit.part("name"));
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
        all, [&](const Person& person) { return person.name == leaver.name || !kind_.may_take(person); });
    return all;
}

Response PeoplePages::show(const Visit& visit, const std::string& error) {
    const auto person = find_person(people_, visit.part("name"));
    if (!person) return site_.not_found(visit);
    const bool failed = !error.empty();
    const bool own = person->name == visit.person.name;
    const auto open = kind_.open_of(*person).size();
    const bool changing =
        visit.request.path.ends_with("/change") || (visit.restored && visit.request.form.contains("called"));
    Page page{"user", (failed ? "Error: " : "") + std::string{"A person"}};
    page.section = "/users";
    page.back_href = "/users";
    page.back_text = "People";
    page.status = failed ? 422 : 200;
    page.success = done_in_words(visit.request.parameter("done"));
    page.view.merge(words())
        .maybe("error", error)
        .text("error_at", changing ? "#called" : "#taker")
        .text("path", "/users/" + person->name)
        .text("form_token", site_.token(visit.session))
        .text("once", site_.once())
        .text("name", person->name)
        .text("heading", desk::printable(person->called))
        .text("called", changing ? visit.request.field("called") : person->called)
        .text("teams", changing ? visit.request.field("teams") : groups_in_words(*person))
        .flag("own", own)
        .flag("suspended", person->suspended)
        .flag("may_change", !own && !person->suspended)
        .flag("has_open", open > 0)
        .text("open_words", desk::printable(person->called) + " has " + std::to_string(open) +
                                (open == 1 ? " open notice." : " open notices.") + " Who takes " +
                                (open == 1 ? "it?" : "them?"))
        .list("takers", people_options(site_, who_may_take(*person), visit.request.field("taker")))
        .list("choices", role_choices(changing ? visit.request.field("role") : person->role));
    return site_.page(visit, page);
}

Response PeoplePages::change(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    const std::string before = person->role;
    person->called = client::trimmed(visit.request.field("called"));
    person->role = visit.request.field("role");
    person->teams = groups_of(visit.request.field("teams"));
    if (const auto fault = fault_in(*person); !fault.empty()) return show(visit, fault);
    if (!keep(visit, StaffDoes::changed, *person)) return site_.problem(&visit);
    // What an older role showed must not stay open in a browser.
    if (person->role != before) site_.end_sessions_of(person->name);
    note(visit, person->name, "changed", before + " to " + person->role);
    return redirect("/users/" + person->name + "?done=changed");
}

Response PeoplePages::suspend(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    const auto open = kind_.open_of(*person);
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
    return redirect("/users/" + person->name + "?done=suspended");
}

Response PeoplePages::reinstate(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    person->suspended = false;
    if (const auto fault = fault_in(*person); !fault.empty())
        return site_.message(visit, 409, "They cannot sign in again like this",
                             fault + ". Nothing was changed.");
    if (!keep(visit, StaffDoes::reinstated, *person)) return site_.problem(&visit);
    note(visit, person->name, "reinstated");
    return redirect("/users/" + person->name + "?done=reinstated");
}

Response PeoplePages::renew(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    person->code_secret = make_code_secret(random_);
    if (!keep(visit, StaffDoes::renewed, *person)) return site_.problem(&visit);
    site_.end_sessions_of(person->name);
    note(visit, person->name, "renewed");
    return say_secrets(visit, *person, {}, person->code_secret);
}

Response PeoplePages::renew_password(const Visit& visit) {
    auto person = other(visit);
    if (!person) return person.error();
    const std::string password = make_password(random_);
    person->password = hash_password(password, random_);
    person->one_time = true;
    if (!keep(visit, StaffDoes::renewed, *person)) return site_.problem(&visit);
    site_.end_sessions_of(person->name);
    note(visit, person->name, "password renewed");
    return say_secrets(visit, *person, password, {});
}

}  // namespace flagpost::web
