/// What an agency tells the broker's log about who may sign in at its pages: who changed what about whom (schemas/staff.fbs).
///
/// What is changed and that it was go together: a change that cannot be put down is not made, and one that was not made is not told.
#pragma once

#include "adapters/client/box.h"
#include "adapters/web/people.h"
#include "staff_generated.h"

namespace flagpost::web {

struct StaffChange {
    schemas::StaffDoes does;
    std::string by;       // what who changed it is called
    Person about;         // as it is from now on
    std::string cover{};  // covered: what who does their work is called
};

/// Does `make`, which writes the change itself, and puts into the outbox that it was done; or neither, if `make` throws.
void change_staff(client::Box& box, const AgencyId& agency, const StaffChange& change, Instant now,
                  const std::function<void()>& make);

}  // namespace flagpost::web
