/// What a broker may say to an adapter, frame after frame: each is two bytes of length, then the frame.
#include "adapters/client/session_machine.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
using namespace flagpost::client;

namespace {

const crypto::OriginKey& origin() {
    static const auto key = crypto::OriginKey::generate();
    return key;
}

Bytes welcome(const crypto::NoteKey& key) {
    log::SignedNote head{
        log::Checkpoint{"fuzz/log", 0, {}}
        .format(), {  }
    };
    head.signatures.push_back(log::sign_note(head.text, "fuzz/log", key));
    schemas::WelcomeValue welcome;
    welcome.session = Bytes(16);
    welcome.agency = "police/31";
    welcome.publish_window = 8;
    welcome.checkpoint = head.format();
    return wire::pack_frame(std::move(welcome));
}

Outgoing message() {
    const Id16 id{1};
    return {id,
            wire::make_envelope({schemas::Kind::opaque, "incidents/31", {}, {}, {}, {}, {1}}, id, id, {}),
            {}};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto key = crypto::NoteKey::from_seed({1});
    const log::VerifierKey vkey{"fuzz/log", log::VerifierKey::Type::note, key.public_key()};
    SessionMachine machine{
        {"fuzz",          "main", {"markers/31"}, vkey, std::nullopt, nullptr},
        origin(), Instant{  }
    };
    machine.start(Instant{});
    BytesView input{data, size};
    if (size > 0 && data[0] % 2 == 0) machine.receive(welcome(key), Instant{});
    machine.publish({message()}, Instant{});
    while (input.size() > 2) {
        const std::size_t length = std::min<std::size_t>(input[0] << 8 | input[1], input.size() - 2);
        machine.receive(input.subspan(2, length), Instant{});
        machine.stored(Instant{});
        input = input.subspan(2 + length);
        fuzz::hold(machine.unconfirmed() <= 1, "a broker cannot make up messages of ours");
    }
    machine.tick(from_us(60'000'000));
    return 0;
}
