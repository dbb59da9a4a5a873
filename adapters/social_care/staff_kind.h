/// Whom an authority's admin may let in, for the pages People (web/people_pages.h).
#pragma once

#include "adapters/social_care/pages.h"
#include "adapters/web/people_pages.h"

namespace flagpost::social_care {

/// Both live as long as what is returned.
web::StaffKind staff_kind(Pages& pages, web::People& people);

/// Why somebody may not be called what they are: notices find their worker by that name. Empty: nothing is wrong.
std::string fault_in_name(const web::Person& person, const std::vector<web::Person>& everybody);

}  // namespace flagpost::social_care
