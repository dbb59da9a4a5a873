#include <signal.h>
#include <spdlog/spdlog.h>

#include <cstdlib>

#include "broker/gate/gate.h"

namespace flagpost::gate {

GateThread::GateThread(GateConfig config, zmq::context_t& fabric, Clock& clock, Random& random)
    : gate_{std::move(config), fabric, clock, random}, thread_{[this] {
          try {
              gate_.run();
          } catch (const std::exception& failure) {
              spdlog::critical("gate: {}", failure.what());
              spdlog::shutdown();
              std::_Exit(EXIT_FAILURE);
          }
      }} {}

GateThread::~GateThread() { stop(); }

void GateThread::stop() {
    gate_.stop();
    if (thread_.joinable()) thread_.join();
}

void run_gate(GateConfig config, Clock& clock, Random& random) {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
    // Blocked before any thread begins, so that none of them is interrupted and sigwait hears of each.
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    zmq::context_t fabric;
    GateThread gate{std::move(config), fabric, clock, random};
    int signal = 0;
    while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) gate.reload();
}

}  // namespace flagpost::gate
