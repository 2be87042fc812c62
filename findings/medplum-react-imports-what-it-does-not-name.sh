#!/usr/bin/env bash
# An app with Medplum's sign-in form cannot be bundled by what the package names.
#
# Packages   @medplum/react 5.2.13 (npm) with all of its peerDependencies, also the optional ones;
#            esbuild 0.28.2
# Expected   a package imports its dependencies and peerDependencies; an app that has these and
#            shows `SignInForm` can be bundled
# Seen       it imports `react-router`, too, which stands in neither list: npm installs the rest
#            without a word, and the bundler ends with `Could not resolve "react-router"`. With
#            react-router beside it, the same app is bundled
# So         add react-router to the dependencies of a patient's app yourself
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y > npm.log 2>&1
install() { npm install --silent --no-audit --no-fund --ignore-scripts --legacy-peer-deps "$@" >> npm.log 2>&1; }
install @medplum/react@5.2.13 esbuild@0.28.2
cat > peers.cjs <<'JS'
const { peerDependencies, dependencies } = require('./node_modules/@medplum/react/package.json');
if ('react-router' in { ...peerDependencies, ...dependencies }) throw new Error('it is named now');
for (const [name, range] of Object.entries(peerDependencies))
  console.log(`${name}@${range.split('||').pop().trim()}`);
JS
mapfile -t peers < <(node peers.cjs)
echo "peers: ${peers[*]}"
install "${peers[@]}"
cat > app.jsx <<'JS'
import { SignInForm } from '@medplum/react';
console.log(SignInForm);
JS
cat > bundle.cjs <<'JS'
require('esbuild')
  .build({
    entryPoints: ['app.jsx'],
    bundle: true,
    write: false,
    logLevel: 'silent',
    loader: { '.css': 'empty' },
  })
  .then(() => console.log('bundled'))
  .catch((error) => console.log([...new Set(error.errors.map((one) => one.text))].join('\n')));
JS
node node_modules/esbuild/install.js >> npm.log 2>&1 || true
alone=$(node bundle.cjs)
install react-router@7
beside=$(node bundle.cjs)
printf 'alone:  %s\nbeside: %s\n' "$alone" "$beside"
test "$alone" = 'Could not resolve "react-router"'
test "$beside" = bundled
