#!/usr/bin/env node
// Compiles the contracts with solc-js and writes the artifacts that the Python package ships.
//
//   node compile.js           writes quorate/contracts/artifacts/*.json
//   node compile.js --check   writes nothing; exits 1 when a committed artifact differs from its sources
//
// The same sources, settings and compiler give the same bytes everywhere: the metadata hash is left out.
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const solc = require('solc');

const ROOT = __dirname;
const ARTIFACTS = path.join(ROOT, 'quorate', 'contracts', 'artifacts');
const CONTRACTS = { QuorateMarket: 'src/QuorateMarket.sol', TestToken: 'test/mocks/TestToken.sol' };
const REVIEWED_WARNINGS = new Set(['2394']); // transient storage: OpenZeppelin's guard clears it at the end of the call
const MAX_DEPLOYED_BYTES = 24576; // EIP-170

/** Reads our own sources, noting their sha256 in `digests`, and those of node_modules. */
function reader(digests) {
  return (name) => {
    const own = path.join(ROOT, name);
    if (fs.existsSync(own)) {
      const contents = fs.readFileSync(own, 'utf8');
      digests[name] = crypto.createHash('sha256').update(contents).digest('hex');
      return { contents };
    }
    const library = path.join(ROOT, 'node_modules', name);
    if (fs.existsSync(library)) return { contents: fs.readFileSync(library, 'utf8') };
    return { error: `${name} is neither here nor in node_modules; run npm ci` };
  };
}

function compile(name, source, settings, read) {
  const input = {
    language: 'Solidity',
    sources: { [source]: { content: read(source).contents } },
    settings: {
      ...settings,
      outputSelection: { [source]: { [name]: ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: read }));
  const messages = (output.errors ?? []).filter((message) => !REVIEWED_WARNINGS.has(message.errorCode));
  if (messages.length > 0) throw new Error(messages.map((message) => message.formattedMessage).join('\n'));
  return output.contracts[source][name];
}

function artifact(name, source, settings) {
  const digests = {};
  const { abi, evm } = compile(name, source, settings, reader(digests));
  const deployedBytes = evm.deployedBytecode.object.length / 2;
  if (deployedBytes > MAX_DEPLOYED_BYTES) {
    throw new Error(`${name}: ${deployedBytes} bytes of code; a chain takes ${MAX_DEPLOYED_BYTES} (EIP-170)`);
  }
  const value = {
    contract: name,
    source,
    sources: Object.fromEntries(Object.entries(digests).sort()),
    compiler: { name: 'solc', version: solc.version(), settings },
    abi,
    bytecode: '0x' + evm.bytecode.object,
    bytecodeBytes: evm.bytecode.object.length / 2,
    deployedBytes,
  };
  return JSON.stringify(value, null, 1) + '\n';
}

function main() {
  const check = process.argv.includes('--check');
  const settings = JSON.parse(fs.readFileSync(path.join(ROOT, 'settings.json'), 'utf8'));
  let stale = 0;
  for (const [name, source] of Object.entries(CONTRACTS)) {
    const text = artifact(name, source, settings);
    const file = path.join(ARTIFACTS, `${name}.json`);
    if (!check) {
      fs.mkdirSync(ARTIFACTS, { recursive: true });
      fs.writeFileSync(file, text);
    } else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== text) {
      console.error(`${path.relative(ROOT, file)} is not what ${source} compiles to; run node compile.js and commit it`);
      stale += 1;
    }
  }
  process.exit(stale === 0 ? 0 : 1);
}

main();
