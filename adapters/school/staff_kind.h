/// Whom a school's, a trust's or an education team's admin may let in, for the pages People (web/people_pages.h).
#pragma once

#include "adapters/school/pages.h"
#include "adapters/web/people_pages.h"

namespace flagpost::school {

/// What is wrong with the schools a person is given; empty: nothing.
std::string fault_in_schools(const web::Person& person, const AgencyId& agency);

/// `pages` lives as long as what is returned.
web::StaffKind staff_kind(Pages& pages, const AgencyId& agency);

}  // namespace flagpost::school
