/// POST /incidents: an answer for every body, and in the outbox what was said to be there.
#include <unistd.h>

#include <filesystem>

#include "adapters/police/endpoint.h"
#include "broker/crypto/keys.h"
#include "tests/fuzz/hold.h"

using namespace flagpost;
using namespace flagpost::police;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static SystemClock clock;
    static crypto::SystemRandom random;
    static const auto file =
        std::filesystem::temp_directory_path() / ("fuzz-box-" + std::to_string(::getpid()) + ".db");
    static client::Box box{file, clock, random};
    static Intake intake{box, "31"};
    static Endpoint endpoint{intake, "", ~std::uint64_t{0} >> 1};
    static std::uint64_t before = box.counts().waiting;
    const auto reply = endpoint.answer({
        "POST", "/incidents", "application/json", "", {reinterpret_cast<const char*>(data), size}
    });
    const std::uint64_t now = box.counts().waiting;
    std::uint64_t queued = 0;
    if (reply.status == 202 || reply.status == 200)
        for (const auto& one : reply.body["incidents"]) queued += one["result"] == "queued" ? 1 : 0;
    else
        fuzz::hold(reply.body.contains("error"), "a refusal says what it is");
    fuzz::hold(reply.status != 503, "nothing else went wrong");
    fuzz::hold(now - before == queued, "what was said to be queued is in the outbox, and nothing else");
    before = now;
    return 0;
}
