/// Who does whose work while they are away.
#pragma once

#include "adapters/web/handover.h"
#include "adapters/web/journal.h"
#include "adapters/web/site.h"
#include "adapters/web/staff.h"

namespace flagpost::social_care {

inline constexpr int cover_days_max = 366;

/// For those who read notices, about themselves or their teams, and for an admin. Each change goes to the broker's log as well.
/// Everything named lives as long as this.
class CoverPages {
public:
    CoverPages(web::Site& site, web::Journal& journal, web::People& people, web::Handover& handover,
               AgencyId agency);

private:
    web::Response cover(const web::Visit& visit, const std::string& error);
    web::Response set_cover(const web::Visit& visit);
    web::Response end_cover(const web::Visit& visit);

    bool keep(const web::Visit& visit, schemas::StaffDoes does, const web::Person& person,
              const std::string& cover = {});
    /// Whose cover this visitor may set.
    std::vector<web::Person> whose_cover(const web::Person& visitor);
    void note(const web::Visit& visit, const std::string& whom, const std::string& what,
              const std::string& detail = {});

    web::Site& site_;
    web::Journal& journal_;
    web::People& people_;
    web::Handover& handover_;
    AgencyId agency_;
};

}  // namespace flagpost::social_care
