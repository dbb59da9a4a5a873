/// flagpost-school: the end of a school, a trust or an education safeguarding team.
#include <iostream>

#include "adapters/desk/orders.h"
#include "adapters/desk/program.h"
#include "adapters/desk/proof.h"
#include "adapters/school/notice_text.h"
#include "adapters/school/school.h"

using namespace flagpost;

namespace {

std::vector<std::string> codes() {
    std::vector<std::string> all;
    for (const auto& outcome : school::outcome_codes) all.emplace_back(outcome.code);
    return all;
}

std::string codes_in_words() {
    std::string words = "what the school will do; closes the notices:";
    for (const auto& outcome : school::outcome_codes)
        words += "\n" + std::string{outcome.code} + ": " + std::string{outcome.words};
    return words;
}

const std::map<std::string, schemas::LoadMode> modes{
    {"full",  schemas::LoadMode::full },
    {"delta", schemas::LoadMode::delta}
};

}  // namespace

int main(int argc, char** argv) {
    desk::Program program{"flagpost-school",
                          "A school's end of Flagpost: hands over its roll, receives notices."};
    desk::LoadOptions load;
    std::string la, by, outcome, reference;
    std::vector<std::string> references;
    bool all = false;
    const auto call = [&] { return school::Call{program.config(), program.json()}; };

    auto* rolls = program.group("rolls", "The pupils on roll.");
    auto* loading = program.command(
        rolls, "load",
        "Hand over a roll (CSV, one row per registration) and wait for the result.\n"
        "A school hands over its own; an education team or a trust that of an authority's schools.\n"
        "Columns: URN, UPN, Surname, Forename, DOB, Sex, EnrolStatus, AddressLine1, AddressLine2, Town, "
        "Postcode, UPRN,\n"
        "Contacts (JSON), LeftOn.\n"
        "Rows that cannot be used are written to FILE.rejects.csv with line and reason. Ends with 0 if "
        "anything was\n"
        "loaded.",
        [&] {
            load.json = program.json();
            return school::load_roll(call(), la, load, std::cout);
        });
    loading->add_option("FILE", load.file, "the roll")->required()->check(CLI::ExistingFile);
    loading
        ->add_option("--mode", load.mode,
                     "full: replaces the roll; delta: adds to it and changes it (default full)")
        ->transform(CLI::CheckedTransformer(modes));
    loading->add_option("--sequence", load.sequence, "number of this load (default: one more than the last)");
    loading->add_option("--la", la, "authority whose roll this is (for a trust)");

    program.command(&program.app(), "run", "Receive notices and send what waits, until stopped.",
                    [&] { return school::run(call()); });

    auto* inbox = program.group("inbox", "Notices about children on roll.");
    auto* listing = program.command(inbox, "list", "The notices that need something, the most urgent first.",
                                    [&] { return school::list_inbox(call(), all, std::cout); });
    listing->add_flag("--all", all, "those closed too");
    auto* showing = program.command(inbox, "show", "One notice in plain words.",
                                    [&] { return school::show(call(), reference, std::cout); });
    showing->add_option("REF", reference, "reference, such as FP-7K3M-29QD")->required();
    auto* opening = program.command(inbox, "acknowledge", "Say that a named person has read notices.", [&] {
        return school::acknowledge(call(), references, by, outcome, std::cout);
    });
    opening->add_option("REF", references, "references")->required();
    opening->add_option("--by", by, "who has read them")->required();
    opening->add_option("--outcome", outcome, codes_in_words())->check(CLI::IsMember(codes()));
    desk::add_order_commands(program, {"school", "trust", "education"});
    desk::add_proof_command(program, {"school", "trust", "education"});
    return program.run(argc, argv);
}
