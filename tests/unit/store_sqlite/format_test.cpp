#include <SQLiteCpp/SQLiteCpp.h>

#include "tests/support/catch.h"
#include "world.h"

using namespace flagpost;
using namespace flagpost::test;

TEST_CASE("the worked example of the README is what the store writes", "[store]") {
    World world;
    const auto store = world.open();
    auto made = record(0, "hello");
    made.subjects = {"upn/A000000000001"};
    made.sets = {
        {"flag/E10000024/1"},
        { "delivery/notices/social-care/E10000024/1",             false}
    };
    store->commit({{made}, {{AgencyId::parse("police/31").value(), Id16{1}, Digest{2}, 0}}});

    const auto readme = bytes_of(TEST_SOURCE_DIR "/broker/store/README.md");
    SQLite::Database database{world.file().string()};
    for (const auto* query :
         {"SELECT hex(hash) FROM entry", "SELECT hex(leaf) FROM entry", "SELECT hex(keys) FROM entry",
          "SELECT hex(wrap) FROM entry", "SELECT hex(body) FROM entry",
          "SELECT group_concat(hex(key) || '|' || idx, x'0a') FROM live",
          "SELECT hex(mac) || '|' || idx FROM subject",
          "SELECT agency || '|' || hex(message) || '|' || idx FROM receipt",
          "SELECT hex(value) FROM meta WHERE key = 'digest_key'"}) {
        CAPTURE(query);
        SQLite::Statement row{database, query};
        REQUIRE(row.executeStep());
        // The README breaks long values into lines of 64 digits.
        std::string shown;
        for (const char c : row.getColumn(0).getString()) {
            const auto line = shown.size() - (shown.rfind('\n') + 1);
            if (line == 64 && c != '\n') shown += '\n';
            shown += c;
        }
        CAPTURE(shown);
        CHECK(contains(readme, view(shown)));
    }
}
