#include "bench/server_process.h"

#include <chrono>
#include <csignal>
#include <cstdio>

#include <sys/wait.h>
#include <unistd.h>

#include "plugin/server/server.h"

namespace larder::bench {
namespace {

constexpr int kFailed = 1;
constexpr int kSpansAreMissing = 2;

// Tells its port, serves until an order comes, and returns what the process ends with.
int Serve(const StoreOptions& options, int report, int orders) {
  const auto server = Server::Start({.listen = "127.0.0.1:0"});
  const auto store = Store::Open(options);
  if (!server.ok() || !store.ok()) {
    const Status& why = server.ok() ? store.status() : server.status();
    std::fprintf(stderr, "the server of the bench: %s\n", why.ToString().c_str());
    return kFailed;
  }
  (*server)->Open(store->get());
  const int port = (*server)->port();
  if (write(report, &port, sizeof port) != sizeof port) return kFailed;
  uint64_t spans = 0;
  if (read(orders, &spans, sizeof spans) != sizeof spans) return kFailed;
  (*server)->Drain(std::chrono::milliseconds(0));
  const StoreStats stats = (*store)->stats();
  return stats.stored_rows + stats.head_rows == spans ? 0 : kSpansAreMissing;
}

}  // namespace

Result<std::unique_ptr<ServerProcess>> ServerProcess::Start(const StoreOptions& store) {
  int report[2];
  int orders[2];
  if (pipe(report) != 0 || pipe(orders) != 0) return Status::Internal("no pipe for the server");
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid < 0) return Status::Internal("no process for the server");
  if (pid == 0) {
    close(report[0]);
    close(orders[1]);
    _exit(Serve(store, report[1], orders[0]));
  }
  close(report[1]);
  close(orders[0]);
  int port = 0;
  const bool is_up = read(report[0], &port, sizeof port) == sizeof port;
  close(report[0]);
  std::unique_ptr<ServerProcess> process(new ServerProcess(pid, port, orders[1]));
  if (!is_up) return Status::Unavailable("the server did not start");
  return process;
}

ServerProcess::~ServerProcess() {
  close(orders_);
  if (pid_ == 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

Status ServerProcess::Stop(uint64_t spans) {
  std::signal(SIGPIPE, SIG_IGN);  // a server that is gone is told by how it ended
  [[maybe_unused]] const ssize_t written = write(orders_, &spans, sizeof spans);
  int how = 0;
  waitpid(pid_, &how, 0);
  pid_ = 0;
  if (how == 0) return Status::Ok();
  const bool are_missing = WIFEXITED(how) && WEXITSTATUS(how) == kSpansAreMissing;
  if (are_missing) return Status::DataLoss("the store has not just the spans that were sent");
  return Status::Internal("the server of the bench failed");
}

}  // namespace larder::bench
