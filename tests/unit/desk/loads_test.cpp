#include "adapters/desk/loads.h"

#include "tests/support/catch.h"
#include "tests/support/temporary_directory.h"

using namespace flagpost;
using namespace flagpost::desk;

namespace {

RowRecord read_row(const client::CsvRow& row, Findings& findings) {
    const nlohmann::json object = object_of(row, {}, findings);
    const Fields fields{object, "", findings};
    const std::string id = fields.required_text("id");
    (void)fields.date("born");
    (void)read_upn(fields, "upn");
    return {copy(view(id)), id};
}

}  // namespace

TEST_CASE("a file of rows becomes records, and each row that is none says why and is kept", "[desk]") {
    const test::TemporaryDirectory directory;
    const auto file = directory.write("list.csv",
                                      "id,born,upn\n"
                                      "1,2019-03-04,B801200005001\n"
                                      "2,2019-02-30,\n"
                                      "3\n"
                                      "\"4\n\",2019-03-04,nonsense\n"
                                      "1,2019-03-05,\n"
                                      ",,\n");
    const auto prepared = prepare(file, {"id", "born"}, read_row);
    REQUIRE(prepared);
    CHECK(prepared->keys == std::vector<std::string>{"1", "4"});
    CHECK(prepared->lines == std::vector<std::uint64_t>{2, 5});
    CHECK(prepared->records.size() == 2);

    struct Expected {
        std::uint64_t line;
        bool used;
        const char *reason, *row;
    };
    const std::vector<Expected> expected{
        {3, false, "born: should be a date",         "2,2019-02-30,"},
        {4, false, "1 cells where the header has 3", "3"            },
        {5, true,  "upn: not a valid UPN",           ""             },
        {7, false, "row: the same as on line 2",     "1,2019-03-05,"},
        {8, false, "id: is missing",                 ",,"           },
    };
    auto rejects = prepared->rejects;
    std::ranges::sort(rejects, {}, &Reject::line);
    REQUIRE(rejects.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(rejects[i].line, rejects[i].reason);
        CHECK(rejects[i].line == expected[i].line);
        CHECK(rejects[i].used == expected[i].used);
        CHECK(rejects[i].reason.find(expected[i].reason) == 0);
        CHECK(rejects[i].row == expected[i].row);
    }
}

TEST_CASE("a file without the columns it needs is not taken for one of its kind", "[desk]") {
    const test::TemporaryDirectory directory;
    const auto [why, text, where] = GENERATE(table<const char*, const char*, const char*>({
        {"another file",   "name,age\nAva,6\n",   "header: no column id"},
        {"empty",          "",                    "header: missing"     },
        {"one name twice", "id,id,born\n1,2,3\n", "header"              },
    }));
    CAPTURE(why);
    const auto prepared = prepare(directory.write("list.csv", text), {"id", "born"}, read_row);
    REQUIRE_FALSE(prepared);
    CHECK(prepared.error().where.find(where) == 0);
}

TEST_CASE("the rejects stand beside their file", "[desk]") {
    CHECK(rejects_file_of("/in/day.csv") == "/in/day.csv.rejects.csv");
}
