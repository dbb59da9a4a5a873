/// Who may sign in, and who covers for whom.
#pragma once

#include <functional>
#include <tl/expected.hpp>

#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/site.h"
#include "adapters/web/staff.h"

namespace flagpost::social_care {

inline constexpr int cover_days_max = 366;

/// People: for the role `admin`, who sees no notice. Cover: for those who read notices, about themselves or their teams, and
/// for an admin. Each change goes to the broker's log as well. Everything named lives as long as this.
class PeoplePages {
public:
    /// References of the open notices that are somebody's own.
    using OpenOf = std::function<std::vector<std::string>(const web::Person& person)>;

    PeoplePages(web::Site& site, web::Journal& journal, web::People& people, Random& random,
                web::Handover& handover, AgencyId agency, OpenOf open_of);

private:
    web::Response list(const web::Visit& visit);
    web::Response ask_new(const web::Visit& visit, const std::string& error);
    web::Response add(const web::Visit& visit);
    web::Response show(const web::Visit& visit, const std::string& error);
    web::Response change(const web::Visit& visit);
    web::Response suspend(const web::Visit& visit);
    web::Response reinstate(const web::Visit& visit);
    web::Response renew(const web::Visit& visit);

    web::Response cover(const web::Visit& visit, const std::string& error);
    web::Response set_cover(const web::Visit& visit);
    web::Response end_cover(const web::Visit& visit);

    /// Writes the person into the file, and into the outbox what was done. False: neither was done in time.
    bool keep(const web::Visit& visit, schemas::StaffDoes does, const web::Person& person,
              const std::string& cover = {});
    std::optional<web::Person> find(const std::string& name);
    /// The person of the path, if somebody may be changed by this visitor; otherwise the answer to give.
    tl::expected<web::Person, web::Response> other(const web::Visit& visit);
    std::vector<web::Person> who_may_take(const web::Person& leaver);
    /// Whose cover this visitor may set.
    std::vector<web::Person> whose_cover(const web::Person& visitor);
    web::Response say_secrets(const web::Visit& visit, const web::Person& person,
                              const std::string& password);
    void note(const web::Visit& visit, const std::string& whom, const std::string& what,
              const std::string& detail = {});

    web::Site& site_;
    web::Journal& journal_;
    web::People& people_;
    Random& random_;
    web::Handover& handover_;
    AgencyId agency_;
    OpenOf open_of_;
};

}  // namespace flagpost::social_care
