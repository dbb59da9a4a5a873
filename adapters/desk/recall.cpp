#include "adapters/desk/recall.h"

#include <sstream>

#include "adapters/desk/inbox.h"

namespace flagpost::desk {

schemas::RecallValue recall_of(const client::Incoming& item) { return payload_of<schemas::Recall>(item); }

const char* reason_in_words(schemas::RecallReason reason) {
    switch (reason) {
        case schemas::RecallReason::withdrawn:
            return "police withdrew the record";
        case schemas::RecallReason::corrected:
            return "police corrected the record, and it is not about this child";
    }
    return "";
}

std::string recall_in_words(const schemas::RecallValue& recall, const std::string& at) {
    return "This notice was recalled on " + at + ". Reason: " + reason_in_words(recall.reason) +
           ". Do not use it. Remove any copy you made, then record that you have.";
}

nlohmann::json recall_entry(const client::Incoming& item) {
    const auto recall = recall_of(item);
    nlohmann::json entry{
        {"recall",             to_hex(recall.notice)                       },
        {"reference",          recall.reference                            },
        {"recalls",            recall.recalled_reference                   },
        {"reason",             schemas::EnumNameRecallReason(recall.reason)},
        {"force",              recall.force                                },
        {"incident_reference", recall.incident_reference                   },
        {"incident_version",   recall.incident_version                     },
        {"recalled",           iso_or_null(recall.recalled_at_us)          },
        {"act_by",             iso_or_null(recall.act_by_us)               }
    };
    add_marks(entry, item);
    return entry;
}

std::string recall_line(const client::Incoming& item, Instant) {
    const auto recall = recall_of(item);
    return recall.reference + "  " + state_of(item) + "  Notice " + recall.recalled_reference +
           " is recalled\n    Act by " + in_words(from_us(recall.act_by_us)) +
           ". Reason: " + reason_in_words(recall.reason);
}

std::string recall_screen(const client::Incoming& item, Instant) {
    const auto recall = recall_of(item);
    std::ostringstream out;
    out << "Recall " << recall.reference << " of notice " << recall.recalled_reference << "\n\n  "
        << wrapped(recall_in_words(recall, in_words(from_us(recall.recalled_at_us))), 2) << "\n\n";
    print_field(out, "Act by", in_words(from_us(recall.act_by_us)));
    print_field(out, "Ask police",
                (recall.police_contact.empty() ? "force " + recall.force : recall.police_contact) +
                    ", quote " + recall.incident_reference);
    print_field(out, "So far", marks_in_words(item));
    if (!item.recorded)
        out << "Record what you did: inbox record " << recall.reference << " --by NAME --outcome removed\n";
    return out.str();
}

}  // namespace flagpost::desk
