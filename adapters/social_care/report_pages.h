/// Reports for a manager: how many notices came each month, and in which months the flag list was late.
#pragma once

#include <array>

#include "adapters/social_care/flag_book.h"
#include "adapters/web/handover.h"
#include "adapters/web/site.h"

namespace flagpost::social_care {

/// April to March.
struct ReportMonth {
    std::string name;  // "April"
    std::size_t notices = 0;
    bool over = false;        // it has begun, so its number means something
    bool known_list = false;  // lists were loaded from here by its end
    bool late_list = false;   // at some time the list was older than agreed
};
using ReportYear = std::array<ReportMonth, 12>;

/// `year`: in which its April lies. `received`: when each notice first came; `lists`: when each list was loaded, rising.
ReportYear report_year(int year, const std::vector<Instant>& received, const std::vector<Instant>& lists,
                       std::chrono::hours list_age_max, Instant now);

/// For the role `manager`. Counted from the notices this authority received, never from the log, which the law keeps for other
/// uses (Data Protection Act 2018, section 62). Everything named lives as long as this.
class ReportPages {
public:
    ReportPages(web::Site& site, web::Reader& reader, FlagBook& book, std::uint32_t flag_list_hours_max);

private:
    web::Response show(const web::Visit& visit);
    web::Response table(const web::Visit& visit);
    ReportYear year_of(const web::Visit& visit, int year);

    web::Site& site_;
    web::Reader& reader_;
    FlagBook& book_;
    std::chrono::hours list_age_max_;
};

}  // namespace flagpost::social_care
