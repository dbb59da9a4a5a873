#include "broker/wire/fabric.h"

#include <functional>

#include "broker/core/limits.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::wire;
using fabric::ItemKind;

namespace {

const Id16 session{7, 7, 7};

Bytes batch_of(BytesView content) {
    Bytes batch;
    fabric::append(batch, ItemKind::frame, session, content);
    return batch;
}

fabric::Opening an_opening() {
    return {
        SpiffeId::parse("spiffe://county.example/police/31/feed").value(), Digest{1, 2, 3},
        from_us(1'900'000'000'000'000), "[2001:db8::1]:50123"
    };
}

}  // namespace

TEST_CASE("a batch of the fabric reads back as it was built", "[fabric]") {
    Bytes batch;
    const auto opening = fabric::write_opening(an_opening());
    fabric::append(batch, ItemKind::open, session, opening);
    for (std::size_t size = 0; size < 20; ++size)
        fabric::append(batch, ItemKind::frame, Id16{9}, Bytes(size, static_cast<std::uint8_t>(size)));
    const auto items = fabric::read_batch(batch);
    REQUIRE(items);
    REQUIRE(items->size() == 21);
    CHECK(items->front().kind == ItemKind::open);
    CHECK(items->front().session == session);
    CHECK(copy(items->front().content) == opening);
    for (std::size_t size = 0; size < 20; ++size) {
        CHECK((*items)[size + 1].session == Id16{9});
        CHECK(copy((*items)[size + 1].content) == Bytes(size, static_cast<std::uint8_t>(size)));
    }
}

TEST_CASE("every content in a batch lies where a FlatBuffer can be read in place", "[fabric]") {
    Bytes batch;
    for (const std::size_t size : {1, 7, 8, 9, 1000})
        fabric::append(batch, ItemKind::frame, session, Bytes(size, 1));
    const auto items = fabric::read_batch(batch);
    REQUIRE(items);
    for (const auto& item : *items) CHECK((item.content.data() - batch.data()) % 8 == 0);
}

TEST_CASE("every truncation of a batch is refused", "[fabric]") {
    const auto batch = batch_of(Bytes(13, 1));
    for (std::size_t size = 1; size < batch.size(); ++size)
        CHECK_FALSE(fabric::read_batch(BytesView{batch}.first(size)));
    CHECK(fabric::read_batch({})->empty());
}

TEST_CASE("an item spoilt in one place is refused for that place", "[fabric]") {
    struct Row {
        const char* why;
        std::size_t at;
        std::uint8_t value;
        Reason reason;
        const char* where;
    };
    const std::vector<Row> rows{
        {"no kind",                         0, 0,    Reason::malformed, "fabric.kind"  },
        {"a kind nobody has defined",       0, 10,   Reason::malformed, "fabric.kind"  },
        {"reserved bytes in use",           2, 1,    Reason::malformed, "fabric.header"},
        {"longer than what follows",        7, 200,  Reason::malformed, "fabric.length"},
        {"longer than any frame",           5, 0x11, Reason::too_large, "fabric.length"},
        {"a length that would wrap around", 4, 0xff, Reason::too_large, "fabric.length"},
    };
    for (const auto& row : rows) {
        CAPTURE(row.why);
        auto batch = batch_of(Bytes(16, 1));
        batch[row.at] = row.value;
        const auto items = fabric::read_batch(batch);
        REQUIRE_FALSE(items);
        CHECK(items.error() == Refusal{row.reason, row.where});
    }
}

TEST_CASE("an opening reads back as it was written", "[fabric]") {
    const auto opening = fabric::read_opening(fabric::write_opening(an_opening()));
    REQUIRE(opening);
    CHECK(opening->id == an_opening().id);
    CHECK(opening->certificate == an_opening().certificate);
    CHECK(opening->not_after == an_opening().not_after);
    CHECK(opening->remote == an_opening().remote);
}

TEST_CASE("an opening spoilt in one place is refused", "[fabric]") {
    const auto good = fabric::write_opening(an_opening());
    const auto id_length = an_opening().id.text().size();
    SECTION("cut inside the fixed part") { CHECK_FALSE(fabric::read_opening(BytesView{good}.first(40))); }
    SECTION("cut inside the identity") {
        CHECK_FALSE(fabric::read_opening(BytesView{good}.first(41 + id_length - 1)));
    }
    SECTION("an identity that is none") {
        auto bytes = good;
        bytes[41] = 'S';
        CHECK_FALSE(fabric::read_opening(bytes));
    }
    SECTION("an address longer than any") {
        auto bytes = good;
        bytes.resize(bytes.size() + 64, '1');
        CHECK_FALSE(fabric::read_opening(bytes));
    }
}

TEST_CASE("endings and windows read back, and nothing else is taken for one", "[fabric]") {
    const auto ending = fabric::read_ending(fabric::write_ending(Reason::revoked, "certificate"));
    REQUIRE(ending);
    CHECK(ending->reason == Reason::revoked);
    CHECK(ending->text == "certificate");
    CHECK_FALSE(fabric::read_ending(Bytes{0}));
    CHECK_FALSE(fabric::read_ending(Bytes{0, 27}));

    CHECK(fabric::read_window(fabric::write_window(70'000)).value() == 70'000);
    CHECK_FALSE(fabric::read_window(Bytes(3)));
    CHECK_FALSE(fabric::read_window(Bytes(5)));
}

TEST_CASE("a gate's credentials read back; lists may be longer than a frame, and are never none",
          "[fabric]") {
    const std::string text(limits::frame_size_max + 100, 'x');
    const Instant certificate_ends = from_us(1'900'000'000'000'000),
                  lists_end = from_us(1'800'000'000'000'000);
    const fabric::Credentials told{Digest{7}, certificate_ends, lists_end, 70'000, text};
    Bytes batch;
    fabric::append(batch, ItemKind::credentials, Id16{}, fabric::write_credentials(told));
    const auto items = fabric::read_batch(batch);
    REQUIRE(items);
    const auto read = fabric::read_credentials(items->at(0).content);
    REQUIRE(read);
    CHECK(read->certificate == Digest{7});
    CHECK(read->certificate_ends == certificate_ends);
    CHECK(read->lists_end == lists_end);
    CHECK(read->number == 70'000);
    CHECK(read->lists == text);
    auto endless = told;
    endless.lists_end.reset();
    CHECK_FALSE(fabric::read_credentials(fabric::write_credentials(endless))->lists_end);
    auto none = told;
    none.lists = "";
    CHECK(fabric::read_credentials(fabric::write_credentials(none)).error() ==
          Refusal{Reason::malformed, "fabric.credentials"});
    CHECK_FALSE(fabric::read_credentials(Bytes(7)));

    batch.clear();
    fabric::append(batch, ItemKind::credentials, Id16{}, Bytes(fabric::lists_size_max + 32 + 3 * 8 + 1));
    CHECK(fabric::read_batch(batch).error() == Refusal{Reason::too_large, "fabric.length"});
}
