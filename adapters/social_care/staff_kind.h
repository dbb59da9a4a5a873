/// Whom an authority's admin may let in, for the pages People (web/people_pages.h).
#pragma once

#include "adapters/social_care/pages.h"
#include "adapters/web/people_pages.h"

namespace flagpost::social_care {

/// `pages` lives as long as what is returned.
web::StaffKind staff_kind(Pages& pages);

}  // namespace flagpost::social_care
