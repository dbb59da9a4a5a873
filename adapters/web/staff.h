/// What an agency tells the broker's log about who may sign in at its pages: who changed what about whom (schemas/staff.fbs).
///
/// What is changed and that it was go together: a change that cannot be put down is not made, and one that was not made is not told.
#pragma once

#include "adapters/web/handover.h"
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

/// Writes the person into the file, and into the outbox what was done, in the thread that owns the box. False: neither was done in
/// time.
bool keep_person(Handover& handover, People& people, const AgencyId& agency, const StaffChange& change,
                 Instant now);

/// Who changed something where nobody says so: an editor or a script wrote the file.
inline constexpr auto changed_by_hand = "by hand, in the file of people";

/// Tells the log of what was changed in the file of people by other ways than ours, at the first turn and whenever the file is
/// read anew. What it compares with, the box keeps: each person as the log was told last, with a digest of their secrets.
class StaffWatch {
public:
    StaffWatch(People& people, AgencyId agency) : people_{people}, agency_{std::move(agency)} {}
    /// Of the thread that owns the box.
    void turn(client::Box& box, Instant now);

private:
    People& people_;
    AgencyId agency_;
    std::uint64_t seen_ = 0;
};

}  // namespace flagpost::web
