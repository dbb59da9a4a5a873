/// Session frames, the first bytes of a peer that the broker reads.
#include "broker/wire/fabric.h"
#include "broker/wire/frames.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const Bytes input(data, data + size);
    if (const auto frame = wire::read_frame(input)) {
        schemas::FrameValue value;
        (*frame)->UnPackTo(&value);
        flatbuffers::FlatBufferBuilder builder;
        builder.Finish(schemas::Frame::Pack(builder, &value), schemas::FrameIdentifier());
        const Bytes written(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
        if (written.size() <= limits::frame_size_max)
            fuzz::hold(wire::read_frame(written).has_value(),
                       "a frame that was read can be written and read");
        if (const auto* publish = (*frame)->body_as_Publish())
            (void)wire::read_envelope({publish->envelope()->data(), publish->envelope()->size()});
    }
    (void)wire::fabric::read_batch(input);
    (void)wire::fabric::read_opening(input);
    return 0;
}
