#include "adapters/desk/proof.h"

#include <fstream>
#include <iostream>
#include <memory>

#include "adapters/client/promise.h"
#include "broker/log/tlog_proof.h"

namespace flagpost::desk {
namespace {

struct ProofOptions {
    std::uint64_t index = 0;
    std::uint8_t cosigned = 0;
    std::filesystem::path out, leaf;
};

void write(const std::filesystem::path& file, BytesView content) {
    std::ofstream out{file, std::ios::binary};
    out.write(reinterpret_cast<const char*>(content.data()), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw std::runtime_error{file.string() + ": cannot be written"};
}

int fetch(const std::filesystem::path& config, const std::vector<std::string>& kinds,
          const std::vector<std::string>& own_settings, const ProofOptions& options) {
    Desk desk{config, kinds, own_settings};
    schemas::QueryValue query;
    query.kind = schemas::QueryKind::proof;
    query.from = options.index;
    query.level = options.cosigned;
    const auto answer = desk.ask(std::move(query));
    const auto parts = answer ? client::read_proof_answer(answer->content) : tl::unexpected{answer.error()};
    const auto proof = parts ? log::TlogProof::parse(parts->first) : tl::unexpected{parts.error()};
    if (!proof) {
        std::cerr << "entry " << options.index << ": " << name(proof.error().reason) << ", "
                  << proof.error().where << "\n";
        return 1;
    }
    const auto judged = log::check_proof(*proof, parts->second, log::Policy::of_log(desk.log_key()));
    if (!judged || proof->index != options.index)
        throw std::runtime_error{"the broker's proof does not hold: nothing was written"};
    write(options.leaf, parts->second);
    write(options.out, view(parts->first));
    std::cout << "Entry " << options.index << " is in the log of size " << judged->head.size << ": "
              << options.leaf.string() << ", proven by " << options.out.string() << ".\n";
    return 0;
}

}  // namespace

void add_proof_command(Program& program, const std::vector<std::string>& kinds,
                       const std::vector<std::string>& own_settings) {
    const auto options = std::make_shared<ProofOptions>();
    auto* proof = program.command(
        &program.app(), "proof",
        "Take home what proves one entry of the log to anybody: something you published, recorded or were "
        "told.\n"
        "flagpost-audit check F.tlog-proof F.leaf --policy FILE says whether it holds, without the broker.",
        [&program, kinds, own_settings, options] {
            return fetch(program.config(), kinds, own_settings, *options);
        });
    proof->add_option("INDEX", options->index, "number of the entry")->required();
    proof->add_option("--out", options->out, "the proof (C2SP tlog-proof)")->required();
    proof->add_option("--leaf", options->leaf, "the entry itself")->required();
    proof
        ->add_option("--cosigned", options->cosigned,
                     "by how many agencies its head must be cosigned (default 0)")
        ->check(CLI::Range(0, 255));
}

}  // namespace flagpost::desk
