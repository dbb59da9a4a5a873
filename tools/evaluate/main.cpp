/// flagpost-match: the broker's matcher run over a set of labelled queries, for measuring it.
#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "tools/evaluate/answers.h"

namespace {

using namespace flagpost;

struct Options {
    std::filesystem::path known, queries, out;
    std::string explain;
};

int refused(const Refusal& refusal) {
    std::cerr << "flagpost-match: " << name(refusal.reason) << ": " << refusal.where << "\n";
    return 2;
}

int run(const Options& options) {
    const auto known = evaluate::read_sheet(options.known, "flag_id");
    if (!known) return refused(known.error());
    const auto queries = evaluate::read_sheet(options.queries, "query_id");
    if (!queries) return refused(queries.error());
    const auto answers = evaluate::answer(*known, *queries);
    if (!options.explain.empty()) evaluate::write_explanation(answers, options.explain, std::cout);
    if (options.out.empty()) return 0;
    std::ofstream out{options.out, std::ios::binary};
    evaluate::write_predictions(answers, out);
    out.close();
    if (!out) throw std::runtime_error{"cannot write " + options.out.string()};
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    Options options;
    CLI::App app{"Runs the broker's matcher over a register and queries, both CSV, and writes whom it found.",
                 "flagpost-match"};
    app.add_option("--register", options.known, "flags: flag_id, given_name, family_name, date_of_birth, ...")
        ->required();
    app.add_option("--queries", options.queries, "query_id and the same columns")->required();
    app.add_option("--out", options.out, "query_id,flag_id,score,decision; decision is auto or review");
    app.add_option("--explain", options.explain,
                   "a query whose candidates are shown with reasons and weights; * for all");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    if (options.out.empty() && options.explain.empty()) {
        std::cerr << "flagpost-match: --out or --explain is needed\n";
        return 2;
    }
    try {
        return run(options);
    } catch (const std::exception& error) {
        std::cerr << "flagpost-match: " << error.what() << "\n";
        return 1;
    }
}
