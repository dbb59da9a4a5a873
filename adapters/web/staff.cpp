#include "adapters/web/staff.h"

namespace flagpost::web {

void change_staff(client::Box& box, const AgencyId& agency, const StaffChange& change, Instant now,
                  const std::function<void()>& make) {
    schemas::StaffChangeValue value;
    value.does = change.does;
    value.by = change.by;
    value.about = change.about.called;
    value.cover = change.cover;
    const bool says_role =
        change.does == schemas::StaffDoes::added || change.does == schemas::StaffDoes::changed;
    if (says_role) value.role = change.about.role;
    value.at_us = to_us(now);
    const wire::Draft draft{schemas::Kind::staff_change,
                            "receipts/" + agency.text(),
                            {},
                            {},
                            {},
                            {},
                            wire::pack<schemas::StaffChange>(value)};
    box.at_once([&] {
        box.enqueue({
            {draft, "people"}
        });
        make();
    });
}

}  // namespace flagpost::web
