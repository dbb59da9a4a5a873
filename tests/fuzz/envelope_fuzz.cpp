/// Envelopes and the payload tables of each kind.
#include "broker/wire/frames.h"
#include "flag_generated.h"
#include "incident_generated.h"
#include "load_generated.h"
#include "notice_generated.h"
#include "school_generated.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

namespace {

/// Reads everything a verified table holds.
template <class Table> void walk(BytesView payload) {
    const Bytes aligned = copy(payload);
    if (const auto table = wire::read_table<Table>(aligned, "payload")) {
        typename Table::NativeTableType value;
        (*table)->UnPackTo(&value);
        fuzz::hold(!wire::pack<Table>(value).empty(), "a table that was read can be written");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(data, data + size);
    BytesView payload{input};
    if (const auto envelope = wire::read_envelope(input)) {
        schemas::EnvelopeValue value;
        envelope->table->UnPackTo(&value);
        payload = envelope->payload;
    }
    walk<schemas::Incident>(payload);
    walk<schemas::LoadBegin>(payload);
    walk<schemas::LoadPart>(payload);
    walk<schemas::LoadCommit>(payload);
    walk<schemas::Flag>(payload);
    walk<schemas::SocialCareNotice>(payload);
    walk<schemas::SchoolNotice>(payload);
    walk<schemas::Receipt>(payload);
    walk<schemas::Pupil>(payload);
    walk<schemas::School>(payload);
    walk<schemas::SchoolLink>(payload);
    walk<schemas::SchoolContact>(payload);
    walk<schemas::BankHoliday>(payload);
    walk<schemas::TermPeriod>(payload);
    walk<schemas::ReviewItem>(payload);
    walk<schemas::LoadResult>(payload);
    return 0;
}
