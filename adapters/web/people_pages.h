/// Who may sign in, as an agency's admin keeps it: the pages People, Add somebody, a person.
#pragma once

#include <functional>
#include <tl/expected.hpp>

#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/site.h"
#include "adapters/web/staff.h"

namespace flagpost::web {

/// What differs from agency to agency. Words stand on pages as they are.
struct StaffKind {
    struct Role {
        std::string code, words;
    };
    std::vector<Role> roles;  // in the order they are offered
    std::string called_as;    // "as your case system has it": what Person::called is
    std::string called_hint;
    std::string groups;  // "teams", "schools": what Person::teams holds; empty: nobody has any
    std::string groups_hint;
    bool covered = false;  // whether somebody may do another's work: the page Cover
    /// What of the role and the groups is wrong; empty: nothing.
    std::function<std::string(const Person&)> fault;
    /// References of the open notices that are somebody's own, and whether another may have them instead.
    std::function<std::vector<std::string>(const Person&)> open_of;
    std::function<bool(const Person& other)> may_take;
};

/// For the role `admin`, who sees no notice. Each change goes to the broker's log as well. Everything named lives as long as this.
class PeoplePages {
public:
    PeoplePages(Site& site, Journal& journal, People& people, Random& random, Handover& handover,
                AgencyId agency, StaffKind kind);

private:
    Response list(const Visit& visit);
    Response ask_new(const Visit& visit, const std::string& error);
    Response add(const Visit& visit);
    Response show(const Visit& visit, const std::string& error);
    Response change(const Visit& visit);
    Response suspend(const Visit& visit);
    Response reinstate(const Visit& visit);
    Response renew(const Visit& visit);
    Response renew_password(const Visit& visit);

    bool keep(const Visit& visit, schemas::StaffDoes does, const Person& person);
    std::string fault_in(const Person& person) const;
    std::vector<View> role_choices(const std::string& chosen) const;
    View words() const;
    /// The person of the path, if somebody may be changed by this visitor; otherwise the answer to give.
    tl::expected<Person, Response> other(const Visit& visit);
    std::vector<Person> who_may_take(const Person& leaver);
    /// What is new of the two.
    Response say_secrets(const Visit& visit, const Person& person, const std::string& password,
                         const std::string& code_secret);
    void note(const Visit& visit, const std::string& whom, const std::string& what,
              const std::string& detail = {});

    Site& site_;
    Journal& journal_;
    People& people_;
    Random& random_;
    Handover& handover_;
    AgencyId agency_;
    StaffKind kind_;
};

/// Somebody of that name, suspended or not.
std::optional<Person> find_person(People& people, const std::string& name);
/// Of a select's options; the one of the name `chosen` is taken.
std::vector<View> people_options(const Site& site, const std::vector<Person>& people,
                                 const std::string& chosen);

}  // namespace flagpost::web
