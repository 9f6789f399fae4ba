#!/usr/bin/env bash
# A plain OpenSearch node for the tests, put together from Maven artifacts by their coordinates.
#
#   up.sh start [--security] [-E name=value ...]   start one and print its URL; one that runs already is kept
#   up.sh check                                    say why one cannot be had here, if so (exit status 1)
#   up.sh stop | status | wipe                     stop it | is it up? | stop it and remove its data
#
# PORT (9310) tells nodes apart; transport is PORT+100. OPENSEARCH_HOME is where everything is kept, OPENSEARCH_VERSION
# the version (3.4.0), HEAP the JVM's heap (1g), JAVA_HOME a JDK 21 or newer (else the newest below /usr/lib/jvm).
# As root the node runs as RUN_AS (a system user "osuser", created), since OpenSearch refuses to run as root.
#
# It is the server with its modules, without any plugin. --security adds the security plugin with its demo
# certificates: https, user admin, password Steward-Test-1.
set -euo pipefail

version=${OPENSEARCH_VERSION:-3.4.0}
port=${PORT:-9310}
heap=${HEAP:-1g}
run_as=${RUN_AS:-osuser}
password=Steward-Test-1
home=${OPENSEARCH_HOME:-$HOME/.cache/steward/opensearch}
if [ -z "${OPENSEARCH_HOME:-}" ] && [ "$(id -u)" = 0 ] && [ -z "$(find "$HOME" -maxdepth 0 -perm -o+x)" ]; then
  home=/var/tmp/steward-opensearch # another user could not enter root's home
fi
dist=$home/$version  # shared by all nodes: lib, modules
node=$home/run/$port # this node: config, plugins, data, logs
copy=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

say() { echo "$*" >&2; }
die() { say "up.sh: $*"; exit 1; }

# ---- what is needed

jdk_major() { "$1/bin/java" -XshowSettings:properties -version 2>&1 | sed -n 's/ *java.specification.version = //p' | cut -d. -f1; }

find_jdk() { # sets jdk, or fails
  local dir major best=20
  jdk=
  for dir in "${JAVA_HOME:-}" /usr/lib/jvm/*; do
    [ -x "$dir/bin/java" ] || continue
    major=$(jdk_major "$dir")
    if [ "${major:-0}" -gt "$best" ]; then jdk=$dir best=$major; fi
    if [ -n "$jdk" ] && [ "$dir" = "${JAVA_HOME:-}" ]; then return; fi
  done
  [ -n "$jdk" ]
}

check() {
  find_jdk || { echo "no JDK 21 or newer in JAVA_HOME or /usr/lib/jvm"; return 1; }
  [ -f "$dist/.complete" ] || command -v mvn > /dev/null || { echo "no Maven (mvn) to download OpenSearch with"; return 1; }
}

# ---- the server, from its artifacts

maven() { # its output only when it fails
  JAVA_HOME=$jdk mvn -B -q "$@" > "$home/maven.log" 2>&1 || { grep -v '^WARNING' "$home/maven.log" | head -n 40 >&2; return 1; }
}

dependency() { echo "<dependency><groupId>$1</groupId><artifactId>$2</artifactId><version>$3</version></dependency>"; }

pom() { # pom NAME < dependencies or modules
  echo "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion><groupId>local</groupId>"
  echo "<artifactId>$1</artifactId><version>1</version><packaging>pom</packaging>$(cat)</project>"
}

# directory|artifact|plugin class|module it extends
modules='transport-netty4|transport-netty4-client|org.opensearch.transport.Netty4ModulePlugin|
reindex|reindex-client|org.opensearch.index.reindex.ReindexModulePlugin|
lang-painless|lang-painless|org.opensearch.painless.PainlessModulePlugin|
lang-mustache|lang-mustache-client|org.opensearch.script.mustache.MustacheModulePlugin|
lang-expression|lang-expression|org.opensearch.script.expression.ExpressionModulePlugin|
analysis-common|analysis-common|org.opensearch.analysis.common.CommonAnalysisModulePlugin|lang-painless
ingest-common|ingest-common|org.opensearch.ingest.common.IngestCommonModulePlugin|lang-painless
mapper-extras|mapper-extras-client|org.opensearch.index.mapper.MapperExtrasModulePlugin|
parent-join|parent-join-client|org.opensearch.join.ParentJoinModulePlugin|
percolator|percolator-client|org.opensearch.percolator.PercolatorModulePlugin|
rank-eval|rank-eval-client|org.opensearch.index.rankeval.RankEvalModulePlugin|
aggs-matrix-stats|aggs-matrix-stats-client|org.opensearch.search.aggregations.matrix.MatrixAggregationModulePlugin|
geo|geo|org.opensearch.geo.GeoModulePlugin|
repository-url|repository-url|org.opensearch.plugin.repository.url.URLRepositoryModulePlugin|'

assemble() {
  [ -f "$dist/.complete" ] && return
  say "downloading OpenSearch $version"
  local work=$dist/work name artifact class extends
  rm -rf "$dist"; mkdir -p "$work/lib"
  { echo '<dependencies>'
    for artifact in opensearch opensearch-plugin-classloader opensearch-agent-bootstrap; do dependency org.opensearch $artifact "$version"; done
    # optional to the server's artifact, needed by a node
    for artifact in log4j-core log4j-api; do dependency org.apache.logging.log4j $artifact 2.21.0; done
    dependency org.locationtech.spatial4j spatial4j 0.7; dependency org.locationtech.jts jts-core 1.15.0
    echo '</dependencies>'; } | pom lib > "$work/lib/pom.xml"
  while IFS='|' read -r name artifact class extends; do
    mkdir -p "$work/$name"
    { echo '<dependencies>'; dependency org.opensearch.plugin "$artifact" "$version"; echo '</dependencies>'; } | pom "$name" > "$work/$name/pom.xml"
  done <<< "$modules"
  { echo '<modules><module>lib</module>'; cut -d'|' -f1 <<< "$modules" | sed 's,.*,<module>&</module>,'; echo '</modules>'; } | pom all > "$work/pom.xml"
  maven -f "$work/pom.xml" $copy:copy-dependencies -DincludeScope=runtime -DoutputDirectory=jars || die "the download failed"
  mv "$work/lib/jars" "$dist/lib"; mkdir "$dist/modules"
  while IFS='|' read -r name artifact class extends; do
    mv "$work/$name/jars" "$dist/modules/$name"
    install_module "$name" "$class" "$extends"
  done <<< "$modules"
  rm -rf "$work"; touch "$dist/.complete"
}

artifact_names() { ls "$1" | sed -nE 's/-[0-9][0-9A-Za-z.+-]*\.jar$//p'; }

install_module() { # name, class, module it extends
  local dir=$dist/modules/$1 known
  # OpenSearch refuses to load a class from two places
  for known in $(comm -12 <(artifact_names "$dir" | sort) <(artifact_names "$dist/lib" | sort)); do rm -f "$dir/$known"-[0-9]*.jar; done
  if [ "$3" = lang-painless ]; then rm -f "$dir"/{lang-painless,opensearch-scripting-painless-spi,antlr4-runtime,asm}*.jar; fi
  printf '%s\n' "name=$1" "description=$1" "version=$version" "classname=$2" "extended.plugins=$3" java.version=21 \
    "opensearch.version=$version" has.native.controller=false > "$dir/plugin-descriptor.properties"
}

# ---- one node

running() { [ -f "$node/pid" ] && kill -0 "$(cat "$node/pid")" 2> /dev/null; }
url() { if [ -d "$node/plugins/opensearch-security" ]; then echo "https://127.0.0.1:$port"; else echo "http://127.0.0.1:$port"; fi; }
answers() { curl -kfsS -m 5 -u "admin:$password" -o /dev/null "$(url)/_cluster/health" 2> /dev/null; }

configure() {
  mkdir -p "$node"/{config,data,logs,repo,tmp}
  rm -rf "$node"/{plugins,lib,modules}; mkdir "$node/plugins"
  ln -s "$dist/lib" "$node/lib"; ln -s "$dist/modules" "$node/modules"
  cat > "$node/config/opensearch.yml" << YML
cluster.name: steward-test
node.name: node-$port
discovery.type: single-node
network.host: 127.0.0.1
http.port: $port
transport.port: $((port + 100))
path.data: $node/data
path.logs: $node/logs
path.repo: ["$node/repo"]
bootstrap.system_call_filter: false
cluster.routing.allocation.disk.threshold_enabled: false
cluster.max_shards_per_node: 10000
# Instants to the millisecond, where 200 ms do otherwise: tests put them in a time of their own.
thread_pool.estimated_time_interval: 0ms
YML
  cat > "$node/config/log4j2.properties" << 'PROPERTIES'
appender.file.type = File
appender.file.name = file
appender.file.fileName = ${sys:opensearch.logs.base_path}${sys:file.separator}node.log
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{ISO8601}][%-5p][%c{1.}] %m%n
rootLogger.level = warn
rootLogger.appenderRef.file.ref = file
PROPERTIES
}

secure() {
  local plugin=$node/plugins/opensearch-security zip=$dist/opensearch-security-$version.0.zip
  [ -f "$zip" ] || maven $copy:copy -Dartifact="org.opensearch.plugin:opensearch-security:$version.0:zip" -DoutputDirectory="$dist" ||
    die "no security plugin of version $version"
  mkdir "$plugin"; (cd "$plugin" && "$jdk/bin/jar" -xf "$zip")
  # It wants a plugin that is no Maven artifact, for a feature not used here, and a library that would come with it.
  sed -i 's/^extended.plugins=.*/extended.plugins=/' "$plugin/plugin-descriptor.properties"
  maven $copy:copy -Dartifact=org.apache.commons:commons-collections4:4.5.0 -DoutputDirectory="$plugin"
  mkdir -p "$node/bin"; : > "$node/bin/opensearch"
  rm -rf "$node/config/opensearch-security"; mkdir "$node/config/opensearch-security"
  cp -r "$plugin"/config/*.yml "$node/config/opensearch-security/" 2> /dev/null || cp -r "$plugin"/config/opensearch-security/* "$node/config/opensearch-security/"
  (cd "$node" && OPENSEARCH_INITIAL_ADMIN_PASSWORD=$password "$jdk/bin/java" -Dorg.apache.logging.log4j.simplelog.StatusLogger.level=OFF \
    -cp "plugins/opensearch-security/*:lib/*" org.opensearch.security.tools.democonfig.Installer "$plugin/tools" -y -i -s) \
    > "$node/logs/security.log" 2>&1 || { tail -n 5 "$node/logs/security.log" >&2; die "the security configuration failed"; }
}

launch() { # launch [-E name=value ...]
  local as=()
  if [ "$(id -u)" = 0 ]; then
    id "$run_as" > /dev/null 2>&1 || useradd --system --no-create-home "$run_as"
    chown -R "$run_as": "$node"
    as=(setpriv --reuid="$run_as" --regid="$(id -g "$run_as")" --clear-groups)
    "${as[@]}" ls "$dist/lib" "$node/data" > /dev/null 2>&1 || die "$run_as cannot reach $node: set OPENSEARCH_HOME"
  fi
  (cd "$node" && umask 022 && exec setsid "${as[@]}" "$jdk/bin/java" -Xms"$heap" -Xmx"$heap" -Djava.io.tmpdir="$node/tmp" \
    -Dfile.encoding=UTF-8 -Djna.nosys=true -Djna.tmpdir="$node/tmp" -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true \
    -Dio.netty.recycler.maxCapacityPerThread=0 -Dlog4j.shutdownHookEnabled=false -Dlog4j2.disable.jmx=true \
    --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED -Dopensearch.path.home="$node" \
    -Dopensearch.path.conf="$node/config" -Dopensearch.distribution.type=tar -Dopensearch.bundled_jdk=false \
    -cp "$dist/lib/*" org.opensearch.bootstrap.OpenSearch "$@") > "$node/logs/stdout.log" 2>&1 < /dev/null &
  echo $! > "$node/pid"
  for _ in $(seq 1 500); do
    if answers; then return; fi
    running || { tail -n 30 "$node/logs/stdout.log" >&2; die "the node ended; see $node/logs"; }
    sleep 0.2
  done
  die "no answer at $(url); see $node/logs"
}

start() {
  local security=
  if running && answers; then url; return; fi
  if [ "${1:-}" = --security ]; then security=1; shift; fi
  check >&2 || exit 1
  mkdir -p "$home"
  assemble; configure
  if [ -n "$security" ]; then secure; fi
  launch "$@"; url
}

stop() {
  if ! running; then rm -f "$node/pid"; return; fi
  local pid; pid=$(cat "$node/pid")
  kill "$pid"
  for _ in $(seq 1 150); do running || break; sleep 0.2; done
  if running; then kill -9 "$pid"; fi
  rm -f "$node/pid"
}

command=${1:-start}; shift || true
case $command in
  start) start "$@" ;;
  check) check ;;
  stop) stop ;;
  wipe) stop; rm -rf "$node" ;;
  status) running && answers && url ;;
  *) sed -n '2,15p' "$0"; exit 2 ;;
esac
