#include "adapters/school/ctf_file.h"

#include "adapters/school/roll_rows.h"
#include "broker/wire/frames.h"
#include "tests/support/catch.h"

using namespace flagpost;
using namespace flagpost::school;

namespace {

const std::string good = R"(<?xml version="1.0" encoding="UTF-8"?>
<CTfile>
  <Header><DocumentName>Common Transfer File</DocumentName><CTFversion>24.0</CTFversion>
    <SourceSchool><LEA>891</LEA><Estab>9001</Estab></SourceSchool></Header>
  <CTFpupilData>
    <Pupil>
      <UPN>B801200005001</UPN><UniqueLearnerNumber>9999999999</UniqueLearnerNumber>
      <Surname>Wiśniewska</Surname><Forename>Olivia</Forename><DOB>2013-09-29</DOB><Sex>F</Sex>
      <BasicDetails><MiddleNames>Maria</MiddleNames><EnrolStatus>M</EnrolStatus><Ethnicity>WOTH</Ethnicity>
        <MedicalFlag>1</MedicalFlag></BasicDetails>
      <Address><BS7666Address><SAON>Flat 2</SAON><PAON>188</PAON><Street>Cromwell Drive</Street>
        <Town>Castle Meadows</Town><UniquePropertyReferenceNumber>999000000068</UniquePropertyReferenceNumber>
        <PostCode>XN31 1ZB</PostCode></BS7666Address></Address>
      <Phones><Phone><PhoneNo>01632 960555</PhoneNo></Phone></Phones><Email>SECRET@home.example</Email>
      <Contacts><Contact><Surname>Ashcombe</Surname><Forename>Sophie</Forename><Relationship>MOT</Relationship>
        <Phones><Phone><PhoneNo>01632 960556</PhoneNo></Phone></Phones></Contact></Contacts>
      <Attendance><AttendanceMarks>SECRETMARKS</AttendanceMarks></Attendance>
      <SEN><SENhistory>SECRETNEEDS</SENhistory></SEN>
    </Pupil>
    <Pupil>
      <UPN>H243278544154</UPN><Surname>Okafor</Surname><Forename>Sam</Forename><DOB>2014-01-02</DOB><Gender>M</Gender>
      <Address><AddressLines><AddressLine1>3 Mill Lane</AddressLine1><AddressLine2>Thornby</AddressLine2></AddressLines>
        <PostCode>XN2 2AB</PostCode></Address>
    </Pupil>
  </CTFpupilData>
</CTfile>)";

std::string replaced(std::string text, std::string_view what, std::string_view with) {
    const auto at = text.find(what);
    REQUIRE(at != std::string::npos);
    return text.replace(at, what.size(), with);
}

schemas::PupilValue pupil_of(const client::CsvRow& row) {
    desk::Findings findings;
    auto pupil = read_pupil(row, 900001, findings);
    CAPTURE(findings.faults());
    REQUIRE(findings.usable());
    CHECK(findings.details_left_out().empty());
    return pupil;
}

}  // namespace

TEST_CASE("a transfer file's pupil is the registration its roll would have", "[school]") {
    const auto rows = ctf_rows(good, 900001);
    REQUIRE(rows);
    REQUIRE(rows->size() == 2);
    const auto first = pupil_of(rows->at(0));
    CHECK(first.urn == 900'001u);
    CHECK(first.child->given_names == "Olivia Maria");
    CHECK(first.child->family_name == "Wiśniewska");
    CHECK(first.child->date_of_birth == "2013-09-29");
    CHECK(first.child->upn == "B801200005001");
    CHECK(first.child->sex == "F");
    CHECK(first.enrolment == "M");  // dually registered: the other school's file has the child too
    CHECK(first.home->line_1 == "Flat 2 188 Cromwell Drive");
    CHECK(first.home->uprn == 999'000'000'068u);
    CHECK(first.home->postcode == "XN31 1ZB");
    REQUIRE(first.contacts.size() == 1);
    CHECK(first.contacts[0]->person->family_name == "Ashcombe");
    CHECK(first.contacts[0]->relation == "MOT");
    const auto second = pupil_of(rows->at(1));
    CHECK(second.child->sex == "M");
    CHECK(second.home->line_1 == "3 Mill Lane");
    CHECK(second.home->postcode == "XN2 2AB");
}

TEST_CASE("an address is read however a school's system writes it", "[school]") {
    struct Row {
        const char *why, *address;
        const char *line_1, *line_2, *town, *postcode;
        std::uint64_t uprn;
    };
    const auto row = GENERATE(values<Row>({
        {"parts, and the postcode beside them",
         "<BS7666Address><SAON>Flat 2</SAON><PAON>188</PAON><Street>Cromwell "
         "Drive</Street><Locality>Thornby</Locality>"
         "<PostTown>Castle "
         "Meadows</PostTown><UniquePropertyReferenceNumber>999000000068</UniquePropertyReferenceNumber>"
         "</BS7666Address><PostCode>XN31 1ZB</PostCode>",             "Flat 2 188 Cromwell Drive", "Thornby",                                "Castle Meadows", "XN31 1ZB", 999'000'000'068},
        {"parts, with nothing around them",
         "<PAON>188</PAON><Street>Cromwell Drive</Street><Town>Northside</Town><PostTown>Castle "
         "Meadows</PostTown>"
         "<UniquePropertyReferenceNumber>68</UniquePropertyReferenceNumber><PostCode>XN31 1ZB</PostCode>"
         "<Country>United Kingdom</Country>",                         "188 Cromwell Drive",        "",                                       "Northside",      "XN31 1ZB", 68             },
        {"five lines",
         "<AddressLines><AddressLine1>Flat 2</AddressLine1><AddressLine2>188 Cromwell "
         "Drive</AddressLine2><AddressLine3>Thornby"
         "</AddressLine3><AddressLine4>Northside</AddressLine4><AddressLine5>Castle "
         "Meadows</AddressLine5></AddressLines>"
         "<County>Norhamshire</County><PostCode>XN31 1ZB</PostCode>", "Flat 2",                    "188 Cromwell Drive, Thornby, Northside", "Castle Meadows", "XN31 1ZB", 0              },
        {"three lines, with nothing around them",
         "<AddressLine1>188 Cromwell "
         "Drive</AddressLine1><AddressLine2>Thornby</AddressLine2><AddressLine3>Castle Meadows"
         "</AddressLine3><PostCode>XN31 1ZB</PostCode>",              "188 Cromwell Drive",        "Thornby",                                "Castle Meadows", "XN31 1ZB", 0              },
        {"a gap in the lines",
         "<AddressLines><AddressLine1>188 Cromwell "
         "Drive</AddressLine1><AddressLine2/><AddressLine3>Thornby</AddressLine3>"
         "</AddressLines><PostCode>XN31 1ZB</PostCode>",              "188 Cromwell Drive",        "Thornby",                                "",               "XN31 1ZB", 0              },
    }));
    CAPTURE(row.why);
    const std::string file =
        "<CTfile><CTFpupilData><Pupil><UPN>H243278544154</UPN><Surname>Okafor</Surname>"
        "<Forename>Sam</Forename><DOB>2014-01-02</DOB><Address>" +
        std::string{row.address} + "</Address></Pupil></CTFpupilData></CTfile>";
    const auto rows = ctf_rows(file, 900001);
    REQUIRE(rows);
    const auto pupil = pupil_of(rows->at(0));
    CHECK(pupil.home->line_1 == row.line_1);
    CHECK(pupil.home->line_2 == row.line_2);
    CHECK(pupil.home->town == row.town);
    CHECK(pupil.home->postcode == row.postcode);
    CHECK(pupil.home->uprn == row.uprn);
}

TEST_CASE("a transfer file of another school is not taken for this one's roll", "[school]") {
    const auto from = [&](const char* urn) {
        return ctf_rows(
            replaced(good, "<Estab>9001</Estab>", std::string{"<Estab>9001</Estab><URN>"} + urn + "</URN>"),
            900001);
    };
    CHECK(from("900001"));
    CHECK(from(" 900001 "));
    CHECK(from(""));
    for (const auto* other : {"900002", "none"}) {
        CAPTURE(other);
        REQUIRE_FALSE(from(other));
        CHECK_THAT(from(other).error().where, Catch::Contains("comes from another school"));
    }
}

TEST_CASE("what a roll does not need is in no record made of a transfer file", "[school]") {
    const auto rows = ctf_rows(good, 900001);
    REQUIRE(rows);
    for (const auto& row : *rows) {
        const auto bytes = wire::pack<schemas::Pupil>(pupil_of(row));
        const std::string record{bytes.begin(), bytes.end()};
        for (const auto* other : {"SECRET", "960555", "960556", "WOTH", "9999999999"}) {
            CAPTURE(other);
            CHECK(record.find(other) == std::string::npos);
        }
    }
}

TEST_CASE("a file that is no transfer file is refused whole", "[school]") {
    const auto [why, what, with, says] = GENERATE(table<const char*, const char*, std::string, const char*>({
        {"cut short",                 "</CTFpupilData>\n</CTfile>", "",                                         "no XML"             },
        {"a tag left open",           "</Surname>",                 "",                                         "no XML"             },
        {"another kind of document",  "<CTfile>",                   "<CTfile2>",                                "no XML"             },
        {"entities of its own",       "<CTfile>",                   "<!DOCTYPE x [<!ENTITY a \"b\">]><CTfile>", "document type"      },
        {"no pupils",                 "<CTFpupilData>",             "<CTFpupilData/><Other>",                   "no XML"             },
        {"bytes of another encoding", "Okafor",
         "Oka\xE9"
         "for",                                                                                                 "not in the encoding"},
    }));
    CAPTURE(why);
    const auto rows = ctf_rows(replaced(good, what, with), 900001);
    REQUIRE_FALSE(rows);
    CHECK_THAT(rows.error().where, Catch::Contains(says));
    CHECK_THAT(ctf_rows("<Census/>", 900001).error().where, Catch::Contains("root is not CTfile"));
    CHECK_THAT(ctf_rows("<CTfile><CTFpupilData/></CTfile>", 900001).error().where,
               Catch::Contains("no CTFpupilData/Pupil"));
    CHECK_FALSE(ctf_rows("", 900001));
}

TEST_CASE("only a file called XML is read as a transfer file", "[school]") {
    CHECK(is_ctf("8919001_CTF_8919002_001.xml"));
    CHECK(is_ctf("roll.XML"));
    CHECK_FALSE(is_ctf("roll.csv"));
    CHECK_FALSE(is_ctf("xml"));
}
