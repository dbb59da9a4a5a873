#include "adapters/auditor/proof.h"

#include "tests/support/catch.h"
#include "tests/unit/auditor/sample_log.h"

using namespace flagpost;
using namespace flagpost::auditor;

TEST_CASE("any entry of an export can be proven, to somebody who has nothing but the proof", "[auditor]") {
    const auto trust = log::Policy::of_log(test::log_vkey());
    for (const std::uint64_t size : {1, 2, 255, 256, 257, 600}) {
        const test::TemporaryDirectory temporary;
        test::SampleLog log{size};
        write_export(log, test::log_vkey(), temporary.path() / "export");
        for (std::uint64_t index = 0; index<size; index += size> 300 ? 37 : 5) {
            CAPTURE(size, index);
            const auto [proof, leaf] = prove(temporary.path() / "export", index);
            const auto read = log::TlogProof::parse(proof.format());
            REQUIRE(read);
            CHECK(log::check_proof(*read, leaf, trust));
            auto other = leaf;
            other.back() ^= 1;
            CHECK_FALSE(log::check_proof(*read, other, trust));
        }
        CHECK_THROWS_WITH(prove(temporary.path() / "export", size), Catch::Contains("the export has"));
    }
}
