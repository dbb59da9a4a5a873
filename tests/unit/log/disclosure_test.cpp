#include "broker/log/disclosure.h"

#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::log;

namespace {

KeysPage sample() {
    KeysPage page{512, {}};
    page.keys.emplace_back(BodyKey{crypto::SymmetricKey{{1, 2, 3}}, "school/122802", "notice"});
    page.keys.emplace_back();
    page.keys.emplace_back(BodyKey{crypto::SymmetricKey{{4}}, "police/31", ""});
    return page;
}

}  // namespace

TEST_CASE("a scope says which bodies, and nothing else is one", "[log]") {
    struct Row {
        const char* text;
        bool good, school, police,
            later;  // covers entry 7 of a school, of the police, entry 99 of the school
    };
    const std::vector<Row> rows{
        {"all",                                  true,  true,  true,  true },
        {"entries=7-98",                         true,  true,  true,  false},
        {"entries=8-98",                         true,  false, false, false},
        {"controller=school/122802",             true,  true,  false, true },
        {"entries=0-7,controller=school/122802", true,  true,  false, false},
        {"controller=school/122802,entries=0-7", true,  true,  false, false},
        {"",                                     false, false, false, false},
        {"all,all",                              false, false, false, false},
        {"entries=9-7",                          false, false, false, false},
        {"entries=7",                            false, false, false, false},
        {"entries=-7",                           false, false, false, false},
        {"entries=1-2,entries=3-4",              false, false, false, false},
        {"entries=0-99999999999999999999",       false, false, false, false},
        {"controller=everybody",                 false, false, false, false},
        {"controller=school/122802,",            false, false, false, false},
    };
    for (const auto& [text, good, school, police, later] : rows) {
        CAPTURE(text);
        const auto scope = Scope::parse(text);
        REQUIRE(scope.has_value() == good);
        if (!good) continue;
        CHECK(scope->covers(7, "school/122802") == school);
        CHECK(scope->covers(7, "police/31") == police);
        CHECK(scope->covers(99, "school/122802") == later);
    }
}

TEST_CASE("a page of keys opens to what was sealed, for the auditor it is for", "[log]") {
    const auto auditor = crypto::BoxKey::generate();
    const auto page = sample().seal_to(auditor.public_key());
    CHECK(keys_page_range(page) == std::pair{std::uint64_t{512}, std::size_t{3}});
    const auto opened = KeysPage::open(page, auditor);
    REQUIRE(opened);
    REQUIRE(opened->keys.size() == 3);
    CHECK(opened->first == 512);
    CHECK(opened->keys[0]->key.reveal() == std::array<std::uint8_t, 32>{1, 2, 3});
    CHECK(opened->keys[0]->controller == "school/122802");
    CHECK(opened->keys[0]->retention == "notice");
    CHECK_FALSE(opened->keys[1]);
    CHECK(opened->keys[2]->controller == "police/31");
    CHECK(opened->keys[2]->retention.empty());
    CHECK_FALSE(KeysPage::open(page, crypto::BoxKey::generate()));
}

TEST_CASE("a page of keys with any byte changed, or cut anywhere, does not open", "[log]") {
    const auto auditor = crypto::BoxKey::generate();
    const auto page = sample().seal_to(auditor.public_key());
    for (std::size_t at = 0; at < page.size(); ++at) {
        CAPTURE(at);
        auto changed = page;
        changed[at] ^= 1;
        CHECK_FALSE(KeysPage::open(changed, auditor));
        CHECK_FALSE(KeysPage::open(BytesView{page}.first(at), auditor));
    }
}

TEST_CASE("what a page holds is bounded by what it says, however it was made", "[log]") {
    const auto auditor = crypto::BoxKey::generate();
    const auto page_of = [&](std::uint8_t count, const Bytes& items) {
        Bytes page{0, 0, 0, 0, 0, 0, 0, 0, 0, count};
        auto context = copy(view("flagpost-keys/1\n"));
        context.insert(context.end(), page.begin(), page.end());
        const auto box = crypto::seal_to(auditor.public_key(), context, items);
        page.insert(page.end(), box.begin(), box.end());
        return page;
    };
    CHECK(KeysPage::open(page_of(1, {0, 0}), auditor));
    // No item at all, half a length, one of two, one too many, a key cut short, no length of the controller.
    for (const auto* items : {"", "00", "000000", "0020", "002000"}) {
        CAPTURE(items);
        CHECK_FALSE(KeysPage::open(page_of(1, *from_hex(items)), auditor));
    }
    CHECK_FALSE(KeysPage::open(page_of(2, *from_hex("0000")), auditor));
    auto item = Bytes(35, 0);
    item[1] = 33;
    item[34] = 1;  // a controller longer than the item
    CHECK_FALSE(KeysPage::open(page_of(1, item), auditor));
}
