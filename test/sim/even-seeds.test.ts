import { describeSeeds } from './seed-tests.ts';

describeSeeds('even');
