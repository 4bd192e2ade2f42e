#!/usr/bin/env node
// Speaks the two commands that forge asks of a native solc (--version and --standard-json) over solc-js, so that
// the compiler is an npm package with a hash in the lock and nothing is downloaded at build time.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const solc = require('solc');

function roots(args) {
  const named = args.filter((_, index) => ['--base-path', '--include-path'].includes(args[index - 1]));
  return [...named, process.cwd(), __dirname, path.join(__dirname, 'node_modules')];
}

function reader(folders) {
  return (name) => {
    const file = folders.map((folder) => path.resolve(folder, name)).find((candidate) => fs.existsSync(candidate));
    return file ? { contents: fs.readFileSync(file, 'utf8') } : { error: `${name} not found` };
  };
}

function write(text) {
  const bytes = Buffer.from(text);
  for (let offset = 0; offset < bytes.length; ) {
    try {
      offset += fs.writeSync(1, bytes, offset);
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error; // a full pipe: try again
    }
  }
}

function main(args) {
  if (args.includes('--version')) {
    const version = solc.version().replace('Emscripten.clang', 'Linux.g++');
    write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
    return 0;
  }
  if (args.includes('--standard-json')) {
    write(solc.compile(fs.readFileSync(0, 'utf8'), { import: reader(roots(args)) }) + '\n');
    return 0;
  }
  console.error(`solc.js takes --version or --standard-json, not ${args.join(' ')}`);
  return 1;
}

process.exit(main(process.argv.slice(2)));
